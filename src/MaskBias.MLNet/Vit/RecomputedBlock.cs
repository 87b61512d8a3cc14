using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// A block of which only the input is kept for the backward pass, which computes the rest once more (Chen et al., 2016, "Training deep nets
/// with sublinear memory cost"). What stochastic depth dropped is dropped again.
/// </summary>
internal sealed class RecomputedBlock : autograd.SingleTensorFunction<RecomputedBlock>
{
    private const string BlockKey = "block", DrawsKey = "draws", PassKey = "pass";

    public override string Name => nameof(RecomputedBlock);

    /// <summary>
    /// [B, N, D] -> [B, N, D], as <see cref="Block.forward"/> gives it; by that itself where nothing is to be computed again, or no
    /// gradient is needed.
    /// </summary>
    public static Tensor Forward(Block block, Tensor tokens, PatchRelations? relations, bool isWanted) =>
        isWanted && tokens.requires_grad && is_grad_enabled()
            ? apply(tokens, relations?.Positive!, relations?.Negative!, block, BackwardPass.Current)
            : block.forward(tokens, relations);

    public override Tensor forward(autograd.AutogradContext context, params object[] inputs)
    {
        var block = (Block)inputs[3];
        context.save_data(BlockKey, block);
        context.save_data(DrawsKey, block.DrawsState());
        context.save_data(PassKey, inputs[4]);
        context.save_for_backward([(Tensor)inputs[0], (Tensor)inputs[1], (Tensor)inputs[2]]);
        return block.forward((Tensor)inputs[0], Relations((Tensor?)inputs[1], (Tensor?)inputs[2]));
    }

    public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        using var _ = gradient;                             // else it would live as long as the step
        var pass = (BackwardPass)context.get_data(PassKey);
        return [pass.Gradient(gradient, () => Again(context, gradient)), null!, null!, null!, null!];
    }

    private static Tensor Again(autograd.AutogradContext context, Tensor gradient)
    {
        var block = (Block)context.get_data(BlockKey);
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        byte[]? now = block.DrawsState();
        try
        {
            var saved = context.get_saved_variables();
            var tokens = saved[0].detach().requires_grad_(true);
            block.RestoreDraws((byte[]?)context.get_data(DrawsKey));
            block.forward(tokens, Relations(saved[1], saved[2])).backward([gradient]);
            return tokens.grad!.DetachFromDisposeScope();
        }
        finally
        {
            block.RestoreDraws(now);
        }
    }

    private static PatchRelations? Relations(Tensor? positive, Tensor? negative) =>
        positive is null && negative is null ? null : new(positive, negative);
}
