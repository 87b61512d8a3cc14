using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Where masks are stored, and which columns name the images and receive the masks.</summary>
public sealed class LoadMasksOptions
{
    /// <summary>The column that holds the images' paths: Text.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string InputColumnName { get; set; } = "ImagePath";

    /// <summary>The column to add: a vector of Byte, the encoded mask set of the image.</summary>
    /// <value>"Masks".</value>
    [Required]
    public string OutputColumnName { get; set; } = "Masks";

    /// <summary>A folder with a file or folder per image, or a file that tells of all images.</summary>
    [Required]
    public string Path { get; set; } = "";

    /// <summary>How the masks are stored.</summary>
    /// <value><see cref="MaskFileFormat.Auto"/>.</value>
    public MaskFileFormat Format { get; set; }

    /// <summary>The folder of a panoptic file's PNGs, or null for the one beside it that has its name without the extension.</summary>
    /// <value>Null.</value>
    public string? PanopticFolder { get; set; }

    /// <summary>Labels of a label map that are no masks.</summary>
    /// <value>0.</value>
    [Required]
    public IReadOnlyList<int> BackgroundLabels { get; set; } = [0];

    /// <summary>What happens to an image without mask files. A file that lists no masks is no fault.</summary>
    /// <value><see cref="MissingMasks.Throw"/>.</value>
    public MissingMasks OnMissingMasks { get; set; }

    /// <summary>What happens where an image is missing or cannot be read: an error, or an empty value.</summary>
    /// <value><see cref="UnreadableImage.MissingValue"/>: training then skips, counts and reports the row.</value>
    public UnreadableImage OnUnreadableImage { get; set; } = UnreadableImage.MissingValue;

    /// <summary>
    /// Whether the EXIF orientation of images is honoured; the masks must have been made of images that were read the same way.
    /// </summary>
    /// <value>True, as training reads images.</value>
    public bool ApplyOrientation { get; set; } = true;

    internal LoadMasksOptions Copy() => (LoadMasksOptions)MemberwiseClone();
}
