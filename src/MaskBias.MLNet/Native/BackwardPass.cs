using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Native;

/// <summary>
/// A backward pass that libtorch runs through functions of our own: the gradient that it still has to read, and what went wrong, which must
/// not cross it as an exception.
/// </summary>
internal sealed class BackwardPass
{
    // Of the thread that trains; on CUDA libtorch runs the backward pass on another one.
    [ThreadStatic]
    private static BackwardPass? current;

    private Tensor? last;
    private Exception? fault;

    /// <summary>The pass that what this thread computes now will be part of.</summary>
    public static BackwardPass Current => current ??= new();

    /// <summary>Ends the pass of what this thread computed.</summary>
    /// <exception cref="Exception">What went wrong in it.</exception>
    public static void End()
    {
        if (current is null) return;
        var ended = current;
        current = null;
        ended.last?.Dispose();
        if (ended.fault is not null) ExceptionDispatchInfo.Throw(ended.fault);
    }

    /// <summary>A function's gradient, alive until libtorch, which reads it after the return, asks for the next one.</summary>
    /// <param name="likeness">A tensor of the gradient's shape, for the case that something goes wrong.</param>
    /// <param name="compute">Computes it.</param>
    public Tensor Gradient(Tensor likeness, Func<Tensor> compute)
    {
        Tensor gradient;
        try
        {
            gradient = compute();
        }
        catch (Exception e)
        {
            fault ??= e;
            gradient = full_like(likeness, Number(double.NaN));
        }
        last?.Dispose();
        return last = gradient.DetachFromDisposeScope();
    }
}
