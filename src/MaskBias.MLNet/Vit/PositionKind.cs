namespace MaskBias.MLNet.Vit;

/// <summary>Where an encoder's position embedding comes from.</summary>
public enum PositionKind
{
    /// <summary>Learned (DINO, the original ViT).</summary>
    Learned,

    /// <summary>Fixed sines and cosines of the patch's column and row (MAE); it takes no gradient.</summary>
    SinCos,
}
