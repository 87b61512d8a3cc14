using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>The feed-forward part of a block: Linear, GELU (encoder) or ReLU (decoder), Linear.</summary>
internal sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    private readonly bool rectifies;
    private readonly Linear lin1;
    private readonly Linear lin2;

    public FeedForward(int width, int hidden, bool rectifies) : base(nameof(FeedForward))
    {
        this.rectifies = rectifies;
        lin1 = WeightLayers.Linear(width, hidden);
        lin2 = WeightLayers.Linear(hidden, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var hidden = lin1.forward(tokens);
        return lin2.forward(rectifies ? nn.functional.relu(hidden) : nn.functional.gelu(hidden)).MoveToOuterDisposeScope();
    }
}
