using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>The feed-forward part of a block: Linear, GELU (encoder) or ReLU (decoder), Linear.</summary>
internal sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    // Hidden values held at a time: 16 MB, which the allocator reuses where it would map a larger block anew each time.
    private const long HiddenPerChunk = 4 << 20;

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

    // [..., D] -> [..., D], some tokens after the other
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var flat = tokens.reshape(-1, tokens.shape[^1]);
        var output = empty_like(flat);
        long chunk = Math.Max(1, HiddenPerChunk / lin1.weight!.shape[0]);
        for (long start = 0; start < flat.shape[0]; start += chunk)
        {
            using var step = NewDisposeScope();
            long count = Math.Min(chunk, flat.shape[0] - start);
            var hidden = lin1.forward(flat.narrow(0, start, count));
            hidden = rectifies ? nn.functional.relu(hidden) : nn.functional.gelu(hidden);
            output.narrow(0, start, count).copy_(lin2.forward(hidden));
        }
        return output.view(tokens.shape).MoveToOuterDisposeScope();
    }
}
