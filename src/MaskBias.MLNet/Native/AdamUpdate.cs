namespace MaskBias.MLNet.Native;

/// <summary>The numbers of one update of AdamW.</summary>
/// <param name="Rate">η, the learning rate.</param>
/// <param name="Decay">λ, the weight decay.</param>
/// <param name="Beta1">β₁.</param>
/// <param name="Beta2">β₂.</param>
/// <param name="Step">t, counted from 1.</param>
/// <remarks>
/// Loshchilov and Hutter, 2019, Algorithm 2: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
/// p ← (1 − ηλ)p − η · m/(1 − β₁ᵗ) / (√v/√(1 − β₂ᵗ) + ε).
/// </remarks>
internal readonly record struct AdamUpdate(double Rate, double Decay, double Beta1, double Beta2, long Step)
{
    /// <summary>ε.</summary>
    public const double Epsilon = 1e-8;

    /// <summary>1 − ηλ.</summary>
    public double Kept => 1 - Rate * Decay;

    /// <summary>η/(1 − β₁ᵗ).</summary>
    public double StepSize => Rate / (1 - Math.Pow(Beta1, Step));

    /// <summary>√(1 − β₂ᵗ).</summary>
    public double SecondScale => Math.Sqrt(1 - Math.Pow(Beta2, Step));
}
