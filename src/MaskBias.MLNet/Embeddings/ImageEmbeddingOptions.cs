using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Embeddings;

/// <summary>How images become feature vectors.</summary>
public sealed class ImageEmbeddingOptions
{
    /// <summary>The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</summary>
    /// <value>"ImagePath", as LoadImageFolder calls it.</value>
    [Required]
    public string InputColumnName { get; set; } = "ImagePath";

    /// <summary>The column to add: a vector of Single, as long as the encoder's features.</summary>
    /// <value>"Features".</value>
    [Required]
    public string OutputColumnName { get; set; } = "Features";

    /// <summary>
    /// The column of encoded masks that guide the encoder's attention, or null to embed without masks. For mask-guided encoders only.
    /// </summary>
    /// <value>null.</value>
    public string? MaskColumnName { get; set; }

    /// <summary>Which masks of an image count; what the encoder was trained with fits best.</summary>
    [Required]
    public MaskTokenOptions Masks { get; set; } = new();

    /// <summary>Features of several blocks, or null for the encoder's own feature vector.</summary>
    /// <value>null.</value>
    public BlockFeatureOptions? Blocks { get; set; }

    /// <summary>Images computed together; that many rows are read ahead.</summary>
    /// <value>32.</value>
    [Range(1, 4096)]
    public int BatchSize { get; set; } = 32;

    /// <summary>
    /// What happens where an image is missing or cannot be read. A saved model stops at an empty path and at a file it cannot read, always;
    /// in a column of images ML.NET takes a missing one for black, or for the row's before.
    /// </summary>
    /// <value><see cref="UnreadableImage.Throw"/>.</value>
    public UnreadableImage OnUnreadableImage { get; set; } = UnreadableImage.Throw;

    /// <summary>Whether the EXIF orientation of paths and encoded files is honoured.</summary>
    /// <value>
    /// False, because ML.NET's own LoadImages ignores it: with true the model cannot be saved. With masks it is always honoured, as where
    /// the masks are made.
    /// </value>
    public bool ApplyOrientation { get; set; }

    internal ImageEmbeddingOptions Copy()
    {
        var copy = (ImageEmbeddingOptions)MemberwiseClone();
        (copy.Masks, copy.Blocks) = (Masks.Copy(), Blocks?.Copy());
        return copy;
    }
}
