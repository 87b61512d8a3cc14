using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Masks;

/// <summary>How <see cref="GraphSegmenter"/> divides images into masks.</summary>
public sealed class GraphSegmenterOptions : IValidatableObject
{
    private const int MaxScales = 64, MaxRegionsPerScale = 4096;

    /// <summary>Number of regions at each scale. Regions of a coarser scale are unions of a finer scale's, so masks nest.</summary>
    /// <value>32, 16, 12, 8, 6, 4, 3 and 2; each 2 to 4,096, 1 to 64 scales in any order.</value>
    /// <remarks>An image that shows fewer regions than a scale asks for gives those that it has. More scales give more masks.</remarks>
    public IReadOnlyList<int> Scales { get; set; } = [32, 16, 12, 8, 6, 4, 3, 2];

    /// <summary>Standard deviation of the Gaussian that smooths the image first, in pixels at the size that is segmented.</summary>
    /// <value>0.6. More suits noisy images and blurs thin parts away.</value>
    [Range(0.0, 10.0)]
    public double Smoothing { get; set; } = 0.6;

    /// <summary>
    /// The k of Felzenszwalb and Huttenlocher's predicate at the finest division, in units of colour difference (CIE Lab) times pixels.
    /// </summary>
    /// <value>15. Less follows fine contours and takes longer; more joins regions of weak contrast early.</value>
    [Range(0.01, 100000.0)]
    public double Granularity { get; set; } = 15;

    /// <summary>Smallest share of the image that a mask covers.</summary>
    /// <value>0.005.</value>
    [Range(0.0001, 0.5)]
    public double MinRegionShare { get; set; } = 0.005;

    /// <summary>Largest share of the image that a mask covers.</summary>
    /// <value>0.95.</value>
    [Range(0.5, 1.0)]
    public double MaxRegionShare { get; set; } = 0.95;

    /// <summary>Largest number of masks per image; the largest are kept.</summary>
    /// <value>64.</value>
    [Range(1, 4096)]
    public int MaxMasks { get; set; } = 64;

    /// <summary>Longest side in pixels that is segmented. A larger image is reduced to it, and its masks are enlarged again.</summary>
    /// <value>256.</value>
    [Range(16, 4096)]
    public int MaxSide { get; set; } = 256;

    /// <inheritdoc/>
    IEnumerable<ValidationResult> IValidatableObject.Validate(ValidationContext validationContext)
    {
        if (Scales is not { Count: >= 1 and <= MaxScales })
        {
            yield return new($"Scales has {Scales?.Count ?? 0} entries; it must have 1 to {MaxScales}.");
            yield break;
        }
        foreach (int regions in Scales.Where(regions => regions is < 2 or > MaxRegionsPerScale))
            yield return new($"Scales holds {regions}; each number of regions must lie in [2, {MaxRegionsPerScale}].");
    }

    internal GraphSegmenterOptions Copy()
    {
        var copy = (GraphSegmenterOptions)MemberwiseClone();
        copy.Scales = Scales?.ToArray()!;
        return copy;
    }
}
