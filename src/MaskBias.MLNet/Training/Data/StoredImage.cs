using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Training.Data;

/// <summary>A row of the training set.</summary>
/// <param name="Row">Its position in the data, for errors.</param>
/// <param name="Source">Where its image comes from.</param>
/// <param name="Masks">Its masks, in pixels of the whole image; null when the set has none.</param>
internal sealed record StoredImage(long Row, ImageSource Source, MaskSet? Masks)
{
    /// <summary>Height of the whole image in pixels; known once it was decoded.</summary>
    public int Height { get; set; }

    /// <summary>Width of the whole image in pixels.</summary>
    public int Width { get; set; }

    /// <summary>The decoded image, reduced where it was large, as far as the memory for it reaches.</summary>
    public RgbImage? Cached { get; set; }
}
