using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Vit;

/// <summary>DINO's projection head: an MLP, a normalised bottleneck, and the prototypes (Caron et al., 2021).</summary>
public sealed class DinoHeadOptions
{
    /// <summary>Number K of prototypes.</summary>
    /// <value>65536 (Caron et al.).</value>
    [Range(2, 1 << 22)]
    public int OutDim { get; set; } = 65536;

    /// <summary>Width of the hidden layers.</summary>
    /// <value>2048.</value>
    [Range(1, 65536)]
    public int HiddenDim { get; set; } = 2048;

    /// <summary>Width of the bottleneck, which is normalised to unit length.</summary>
    /// <value>256.</value>
    [Range(1, 65536)]
    public int BottleneckDim { get; set; } = 256;

    /// <summary>Number of linear layers before the prototypes.</summary>
    /// <value>3.</value>
    [Range(1, 16)]
    public int Layers { get; set; } = 3;

    /// <summary>Whether hidden layers are followed by batch normalisation.</summary>
    /// <value>False.</value>
    public bool UseBatchNorm { get; set; }

    /// <summary>Whether the prototypes keep unit length: their magnitudes are not trained.</summary>
    /// <value>True: more stable.</value>
    public bool NormalizeLastLayer { get; set; } = true;

    internal DinoHeadOptions Copy() => (DinoHeadOptions)MemberwiseClone();
}
