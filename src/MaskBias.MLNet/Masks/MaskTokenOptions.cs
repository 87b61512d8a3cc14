using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Masks;

/// <summary>Which masks of an image become mask token vectors of a crop.</summary>
public sealed class MaskTokenOptions
{
    /// <summary>Largest number of masks per crop; the largest within the crop are kept.</summary>
    /// <value>64.</value>
    [Range(1, 4096)]
    public int MaxMasks { get; set; } = 64;

    /// <summary>Largest share of the crop that a mask may cover. One that covers more relates all patches alike and is dropped.</summary>
    /// <value>0.9.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double MaxCoverage { get; set; } = 0.9;

    /// <summary>Smallest area within the crop, in patches. A smaller mask is dropped.</summary>
    /// <value>1.</value>
    [Range(0.0, 65536.0)]
    public double MinPatches { get; set; } = 1;

    /// <summary>
    /// Whether a crop with a single mask also gets its complement, the part of the image that the mask leaves, so that an object and its
    /// surroundings have a negative relation. The complement is kept whatever it covers, unless <see cref="MaxMasks"/> is 1.
    /// </summary>
    /// <value>False.</value>
    public bool AddComplement { get; set; }

    internal MaskTokenOptions Copy() => (MaskTokenOptions)MemberwiseClone();
}
