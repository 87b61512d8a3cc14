namespace MaskBias.MLNet.Masks;

/// <summary>The relations between patches that enter the attention bias.</summary>
public enum MaskRelation
{
    /// <summary>R⁺: both patches lie in the same mask.</summary>
    Positive,

    /// <summary>R⁻: both patches are covered, but by different masks.</summary>
    Negative,

    /// <summary>Both relations, each with its own weight.</summary>
    Both,
}
