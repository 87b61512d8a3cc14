using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>A block's feed-forward part: Linear, GELU (the exact, erf form), Linear.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1;
    private readonly Linear fc2;

    public Mlp(int width, int hidden) : base(nameof(Mlp))
    {
        fc1 = WeightLayers.Linear(width, hidden);
        fc2 = WeightLayers.Linear(hidden, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return fc2.In(nn.functional.gelu(fc1.In(tokens))).MoveToOuterDisposeScope();
    }
}
