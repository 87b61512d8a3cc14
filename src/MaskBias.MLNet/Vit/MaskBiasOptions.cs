using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Vit;

/// <summary>The mask-guided attention bias B = α·R⁺ − β·R⁻, added to the attention logits of every head.</summary>
public sealed class MaskBiasOptions
{
    /// <summary>Which relations enter the bias.</summary>
    /// <value><see cref="MaskRelation.Positive"/>: patches of one mask attract each other.</value>
    public MaskRelation Relation { get; set; } = MaskRelation.Positive;

    /// <summary>How the overlap of two patches' masks is measured.</summary>
    /// <value><see cref="RelationKind.Soft"/>: max over masks of the smaller share.</value>
    public RelationKind Kind { get; set; } = RelationKind.Soft;

    /// <summary>Whether the heads of a layer share one α and one β.</summary>
    /// <value>False: one each per head.</value>
    public bool SharedAcrossHeads { get; set; }

    /// <summary>Which layers carry the bias.</summary>
    /// <value><see cref="BiasLayers.All"/>.</value>
    public BiasLayers Layers { get; set; } = BiasLayers.All;

    /// <summary>Start value of α and β, in logits.</summary>
    /// <value>0: attention starts as the plain vision transformer's.</value>
    [Range(-100.0, 100.0)]
    public double InitialValue { get; set; }

    internal bool AppliesTo(int layer, int depth) => Layers switch
    {
        BiasLayers.FirstHalf => layer < depth / 2,
        BiasLayers.LastHalf => layer >= depth / 2,
        _ => true,
    };

    internal MaskBiasOptions Copy() => (MaskBiasOptions)MemberwiseClone();
}
