using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Which model finds the masks of which images, and where they are kept.</summary>
public sealed class SamMasksOptions
{
    /// <summary>The model: <c>sam_vit_b</c>, <c>l</c> or <c>h</c> as published (<c>.pth</c>), or the same weights as safetensors.</summary>
    [Required]
    public string CheckpointPath { get; set; } = "";

    /// <summary>The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string InputColumnName { get; set; } = "ImagePath";

    /// <summary>The column to add: a vector of Byte, the encoded mask set of the image.</summary>
    /// <value>"Masks".</value>
    [Required]
    public string OutputColumnName { get; set; } = "Masks";

    /// <summary>How masks are found and filtered.</summary>
    /// <value>The published settings.</value>
    [Required]
    public SamMaskGeneratorOptions Generator { get; set; } = new();

    /// <summary>
    /// A folder in which the masks of every image are kept, one small file each, under a hash of its pixels, the model and the settings.
    /// Masks that are there are read, not computed: a later run, or one that was stopped, goes on where it left off. Several processes may
    /// share it.
    /// </summary>
    /// <value>null: nothing is kept, and masks are computed whenever rows are read.</value>
    public string? StoreFolder { get; set; }

    /// <summary>Attention heads of the mask decoder, the one size that a checkpoint does not show.</summary>
    /// <value>null: 8, as published.</value>
    [Range(1, 256)]
    public int? DecoderHeads { get; set; }

    /// <summary>Where to compute.</summary>
    /// <value><see cref="ComputeDevice.Auto"/>.</value>
    [Required]
    public ComputeDevice Device { get; set; } = ComputeDevice.Auto;

    /// <summary>What happens where an image is missing, cannot be read or is too elongated: an error, or an empty value.</summary>
    /// <value><see cref="UnreadableImage.MissingValue"/>: training then skips, counts and reports the row.</value>
    public UnreadableImage OnUnreadableImage { get; set; } = UnreadableImage.MissingValue;

    /// <summary>
    /// Whether the EXIF orientation of paths and encoded files is honoured; masks fit an image only when it is read the same way.
    /// </summary>
    /// <value>True, as training reads images.</value>
    public bool ApplyOrientation { get; set; } = true;

    /// <summary>Told after every batch of prompts and every image, on the thread that reads the rows.</summary>
    /// <value>null.</value>
    public IProgress<SamMasksProgress>? Progress { get; set; }

    /// <summary>Stops before the next batch of prompts; masks of images that are done stay in the store.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal SamMasksOptions Copy()
    {
        var copy = (SamMasksOptions)MemberwiseClone();
        copy.Generator = Generator.Copy();
        return copy;
    }
}
