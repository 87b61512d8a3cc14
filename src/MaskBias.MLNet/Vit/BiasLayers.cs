namespace MaskBias.MLNet.Vit;

/// <summary>The layers of an encoder that carry the mask-guided attention bias.</summary>
public enum BiasLayers
{
    /// <summary>Every layer.</summary>
    All,

    /// <summary>Layers 0 to depth/2 − 1.</summary>
    FirstHalf,

    /// <summary>Layers depth/2 to depth − 1.</summary>
    LastHalf,
}
