using MaskBias.MLNet.Masks;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// A block of which only the input is kept for the backward pass, which computes the rest once more (Chen et al., 2016, "Training deep nets with
/// sublinear memory cost"). What stochastic depth dropped is dropped again.
/// </summary>
internal sealed class RecomputedBlock : autograd.SingleTensorFunction<RecomputedBlock>
{
    private const string BlockKey = "block", DrawsKey = "draws";

    // An exception must not cross libtorch, which calls backward.
    [ThreadStatic]
    private static Exception? fault;

    public override string Name => nameof(RecomputedBlock);

    /// <summary>[B, N, D] -> [B, N, D], as <see cref="Block.forward"/> gives it.</summary>
    public static Tensor Forward(Block block, Tensor tokens, PatchRelations? relations) =>
        apply(tokens, relations?.Positive!, relations?.Negative!, block);

    /// <summary>Throws what went wrong in a backward pass of this thread.</summary>
    public static void ThrowFault()
    {
        var thrown = fault;
        fault = null;
        if (thrown is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
    }

    public override Tensor forward(autograd.AutogradContext context, params object[] inputs)
    {
        var block = (Block)inputs[3];
        context.save_data(BlockKey, block);
        context.save_data(DrawsKey, block.DrawsState());
        context.save_for_backward([(Tensor)inputs[0], (Tensor)inputs[1], (Tensor)inputs[2]]);
        return block.forward((Tensor)inputs[0], Relations((Tensor?)inputs[1], (Tensor?)inputs[2]));
    }

    public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        var block = (Block)context.get_data(BlockKey);
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        var saved = context.get_saved_variables();
        var tokens = saved[0].detach().requires_grad_(true);
        byte[]? now = block.DrawsState();
        try
        {
            block.RestoreDraws((byte[]?)context.get_data(DrawsKey));
            block.forward(tokens, Relations(saved[1], saved[2])).backward([gradient]);
            return [tokens.grad!.MoveToOuterDisposeScope(), null!, null!, null!];
        }
        catch (Exception e)
        {
            fault ??= e;
            return [full_like(gradient, Number(double.NaN)).MoveToOuterDisposeScope(), null!, null!, null!];
        }
        finally
        {
            block.RestoreDraws(now);
        }
    }

    private static PatchRelations? Relations(Tensor? positive, Tensor? negative) =>
        positive is null && negative is null ? null : new(positive, negative);
}
