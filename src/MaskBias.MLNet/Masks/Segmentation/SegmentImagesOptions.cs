using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Masks.Segmentation;

/// <summary>Where images are read from and their masks go.</summary>
public sealed class SegmentImagesOptions
{
    /// <summary>The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string InputColumnName { get; set; } = "ImagePath";

    /// <summary>The column to add: a vector of Byte, the encoded mask set of the image.</summary>
    /// <value>"Masks".</value>
    [Required]
    public string OutputColumnName { get; set; } = "Masks";

    /// <summary>What happens where an image is missing or cannot be read.</summary>
    /// <value><see cref="UnreadableImage.Throw"/>.</value>
    public UnreadableImage OnUnreadableImage { get; set; } = UnreadableImage.Throw;

    /// <summary>
    /// Whether the EXIF orientation of paths and encoded files is honoured; masks fit an image only when it is read the same way.
    /// </summary>
    /// <value>False, as everywhere where ML.NET reads images.</value>
    public bool ApplyOrientation { get; set; }

    internal SegmentImagesOptions Copy() => (SegmentImagesOptions)MemberwiseClone();
}
