namespace MaskBias.MLNet.Vit;

/// <summary>The feed-forward part of a block.</summary>
public enum FeedForwardKind
{
    /// <summary>Linear, GELU (the exact, erf form), linear: W₂·gelu(W₁·x).</summary>
    Mlp,

    /// <summary>The gated form of DINOv2's ViT-g (Shazeer, 2020): W₃·(silu(W₁·x) ⊙ W₂·x), two thirds as wide, rounded up to 8.</summary>
    SwiGlu,
}
