using MaskBias.MLNet.Native;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>Norms of the gradients of a step, and their clipping.</summary>
internal static class GradientNorms
{
    private const double Epsilon = 1e-6;

    /// <summary>
    /// Measures each gradient, and scales each on its own where a limit is given, as DINO does: gradient · min(1, limit/(‖gradient‖ + 1e-6)).
    /// One transfer from the device for all of them.
    /// </summary>
    /// <returns>The norms before clipping, in the gradients' order.</returns>
    public static IReadOnlyList<double> MeasureAndClip(IReadOnlyList<Tensor> gradients, double limit)
    {
        if (gradients.Count == 0) return [];
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] all = [.. gradients];
        double[] norms = TensorLists.Norms(all).cpu().to_type(ScalarType.Float64).data<double>().ToArray();
        if (limit > 0 && norms.Any(n => n + Epsilon > limit))
            TensorLists.Scale(all, Array.ConvertAll(norms, n => Math.Min(1, limit / (n + Epsilon))));
        return norms;
    }

    /// <summary>Norm of all gradients as one vector.</summary>
    public static double Total(IReadOnlyList<double> norms) => Math.Sqrt(norms.Sum(n => n * n));
}
