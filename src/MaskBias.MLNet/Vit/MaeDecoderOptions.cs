using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Vit;

/// <summary>MAE's lightweight decoder (He et al., CVPR 2022, Section 3), which pretraining needs and an embedding does not.</summary>
public sealed class MaeDecoderOptions : IValidatableObject
{
    /// <summary>Width of the tokens; a multiple of <see cref="Heads"/> and of 4.</summary>
    /// <value>512 (He et al.).</value>
    [Range(4, 16384)]
    public int EmbedDim { get; set; } = 512;

    /// <summary>Number of transformer blocks.</summary>
    /// <value>8 (He et al.).</value>
    [Range(1, 256)]
    public int Depth { get; set; } = 8;

    /// <summary>Number of attention heads.</summary>
    /// <value>16 (He et al.).</value>
    [Range(1, 256)]
    public int Heads { get; set; } = 16;

    /// <summary>Hidden width of a block's MLP as a multiple of <see cref="EmbedDim"/>.</summary>
    /// <value>4.</value>
    [Range(0.25, 16.0)]
    public double MlpRatio { get; set; } = 4;

    /// <summary>
    /// Whether it predicts pixels that are normalised by the mean and deviation of their patch, instead of the pixels. A patch
    /// without any deviation then has the target 0.
    /// </summary>
    /// <value>False.</value>
    public bool NormalizePixels { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Heads > 0 && EmbedDim % Heads != 0) yield return new($"Heads is {Heads}; it must divide EmbedDim {EmbedDim}.");
        if (EmbedDim % 4 != 0) yield return new($"EmbedDim is {EmbedDim}; it must be a multiple of 4 for sin-cos positions.");
    }

    internal MaeDecoderOptions Copy() => (MaeDecoderOptions)MemberwiseClone();
}
