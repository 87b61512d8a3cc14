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

    /// <summary>What happens where an image is missing or cannot be read: an error, or an empty value.</summary>
    /// <value><see cref="UnreadableImage.MissingValue"/>: training then skips, counts and reports the row.</value>
    public UnreadableImage OnUnreadableImage { get; set; } = UnreadableImage.MissingValue;

    /// <summary>
    /// Whether the EXIF orientation of paths and encoded files is honoured; masks fit an image only when it is read the same way.
    /// </summary>
    /// <value>True, as training reads images.</value>
    public bool ApplyOrientation { get; set; } = true;

    /// <summary>How images are segmented.</summary>
    [Required]
    public GraphSegmenterOptions Segmenter { get; set; } = new();

    internal SegmentImagesOptions Copy() => (SegmentImagesOptions)MemberwiseClone();
}
