using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>A block's gated feed-forward part: W₃·(silu(W₁·x) ⊙ W₂·x), with W₁ and W₂ in one layer (Shazeer, 2020; DINOv2's ViT-g).</summary>
internal sealed class SwiGlu : nn.Module<Tensor, Tensor>
{
    private readonly Linear w12;
    private readonly Linear w3;

    public SwiGlu(int width, int hidden) : base(nameof(SwiGlu))
    {
        w12 = WeightLayers.Linear(width, 2 * hidden);
        w3 = WeightLayers.Linear(hidden, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var parts = w12.In(tokens).chunk(2, -1);                          // [B, N, hidden] each
        return w3.In(nn.functional.silu(parts[0]) * parts[1]).MoveToOuterDisposeScope();
    }
}
