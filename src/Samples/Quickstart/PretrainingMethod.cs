namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>How phase 1 learns without labels.</summary>
internal enum PretrainingMethod
{
    /// <summary>Self-distillation between views.</summary>
    Dino,

    /// <summary>Masked autoencoding.</summary>
    Mae,
}
