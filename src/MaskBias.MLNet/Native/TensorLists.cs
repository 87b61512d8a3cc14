using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Native;

/// <summary>
/// Operations on many tensors at once, which a device computes in a few launches instead of some for each. libtorch has them and TorchSharp
/// does not name them; a TorchScript of one line each does.
/// </summary>
internal static class TensorLists
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def norms(tensors: List[Tensor]) -> Tensor:
            return torch.stack(torch._foreach_norm(tensors))

        def scale(tensors: List[Tensor], factors: Tensor):
            torch._foreach_mul_(tensors, [f.item() for f in factors.unbind(0)])

        def average(tensors: List[Tensor], others: List[Tensor], momentum: float):
            torch._foreach_mul_(tensors, momentum)
            torch._foreach_add_(tensors, others, alpha=1.0 - momentum)

        def copy(tensors: List[Tensor], others: List[Tensor]):
            torch._foreach_copy_(tensors, others)

        def adam(tensors: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor], steps: List[Tensor],
                 rate: float, beta1: float, beta2: float, decay: float, epsilon: float):
            torch._fused_adamw_(tensors, gradients, first, second, [], steps, lr=rate, beta1=beta1, beta2=beta2, weight_decay=decay,
                                eps=epsilon, amsgrad=False, maximize=False)

        """));                  // TorchScript wants a line's end after the last line

    /// <summary>The Euclidean norm of each, [n].</summary>
    public static Tensor Norms(Tensor[] tensors) => (Tensor)Script.Value.invoke("norms", [tensors]);

    /// <summary>Multiplies each in place by a number of its own.</summary>
    public static void Scale(Tensor[] tensors, double[] factors)
    {
        using var numbers = tensor(factors);
        Script.Value.invoke("scale", [tensors, numbers]);
    }

    /// <summary>a ← m·a + (1 − m)·b for each pair; 0 copies.</summary>
    public static void MoveTowards(Tensor[] tensors, Tensor[] others, double momentum)
    {
        if (momentum == 0) Script.Value.invoke("copy", [tensors, others]);
        else Script.Value.invoke("average", [tensors, others, Number(momentum)]);
    }

    /// <summary>AdamW of tensors of equal treatment and age.</summary>
    /// <param name="tensors">What is updated.</param>
    /// <param name="gradients">One for each.</param>
    /// <param name="first">Moving mean of each gradient.</param>
    /// <param name="second">Moving mean of each gradient's square.</param>
    /// <param name="update">The numbers of the update.</param>
    public static void Adam(Tensor[] tensors, Tensor[] gradients, Tensor[] first, Tensor[] second, AdamUpdate update)
    {
        using var step = full([], Number((double)update.Step), dtype: ScalarType.Float32, device: tensors[0].device);
        Tensor[] steps = [.. Enumerable.Repeat(step, tensors.Length)];
        Script.Value.invoke("adam", [tensors, gradients, first, second, steps,
            Number(update.Rate), Number(update.Beta1), Number(update.Beta2), Number(update.Decay), Number(AdamUpdate.Epsilon)]);
    }
}
