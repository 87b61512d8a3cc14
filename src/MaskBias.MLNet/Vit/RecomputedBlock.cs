using System.Runtime.ExceptionServices;
using MaskBias.MLNet.Masks;
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

    // Of the thread that trains; on CUDA libtorch runs the backward pass on another one.
    [ThreadStatic]
    private static BackwardPass? current;

    public override string Name => nameof(RecomputedBlock);

    /// <summary>
    /// [B, N, D] -> [B, N, D], as <see cref="Block.forward"/> gives it; by that itself where nothing is to be computed again, or no
    /// gradient is needed.
    /// </summary>
    public static Tensor Forward(Block block, Tensor tokens, PatchRelations? relations, bool isWanted) =>
        isWanted && tokens.requires_grad && is_grad_enabled()
            ? apply(tokens, relations?.Positive!, relations?.Negative!, block, current ??= new())
            : block.forward(tokens, relations);

    /// <summary>Ends the backward pass of what this thread computed.</summary>
    /// <exception cref="Exception">What went wrong in it.</exception>
    public static void EndBackward()
    {
        if (current is null) return;
        var fault = current.Fault;
        current.Dispose();
        current = null;
        if (fault is not null) ExceptionDispatchInfo.Throw(fault);
    }

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
        var block = (Block)context.get_data(BlockKey);
        var pass = (BackwardPass)context.get_data(PassKey);
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        using var used = gradient;                          // else it would live as long as the step
        byte[]? now = block.DrawsState();
        try
        {
            var saved = context.get_saved_variables();
            var tokens = saved[0].detach().requires_grad_(true);
            block.RestoreDraws((byte[]?)context.get_data(DrawsKey));
            block.forward(tokens, Relations(saved[1], saved[2])).backward([gradient]);
            return [pass.Keep(tokens.grad!), null!, null!, null!, null!];
        }
        catch (Exception e)                                 // it must not cross libtorch, which calls this
        {
            pass.Fault ??= e;
            return [pass.Keep(full_like(gradient, Number(double.NaN))), null!, null!, null!, null!];
        }
        finally
        {
            block.RestoreDraws(now);
        }
    }

    private static PatchRelations? Relations(Tensor? positive, Tensor? negative) =>
        positive is null && negative is null ? null : new(positive, negative);

    private sealed class BackwardPass : IDisposable
    {
        private Tensor? last;

        /// <summary>The first thing that went wrong.</summary>
        public Exception? Fault { get; set; }

        /// <summary>Keeps a block's gradient until libtorch, which reads it after the return, has asked for the next block's.</summary>
        public Tensor Keep(Tensor gradient)
        {
            last?.Dispose();
            return last = gradient.DetachFromDisposeScope();
        }

        public void Dispose() => last?.Dispose();
    }
}
