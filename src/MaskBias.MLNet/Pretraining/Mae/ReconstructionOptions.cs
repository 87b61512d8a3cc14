using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>What is hidden from a masked autoencoder that shows its reconstructions.</summary>
public sealed class ReconstructionOptions
{
    /// <summary>Share of the patches hidden from the encoder, in (0, 1).</summary>
    /// <value>0.75.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double MaskRatio { get; set; } = 0.75;

    /// <summary>Patches along a side of the square blocks that are hidden together; must divide the grid of patches.</summary>
    /// <value>1.</value>
    [Range(1, 4096)]
    public int MaskBlockSize { get; set; } = 1;

    /// <summary>Which masks of an image count, for a mask-guided encoder.</summary>
    [Required]
    public MaskTokenOptions Masks { get; set; } = new();

    internal ReconstructionOptions Copy()
    {
        var copy = (ReconstructionOptions)MemberwiseClone();
        copy.Masks = Masks.Copy();
        return copy;
    }
}
