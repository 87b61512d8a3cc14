using TorchSharp;
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
        var norms = stack(gradients.Select(g => g.norm()));
        if (limit > 0)
        {
            var factors = (Number(limit) / Sum(norms, Number(Epsilon))).clamp_max_(Number(1)).unbind(0);
            for (int i = 0; i < gradients.Count; i++) gradients[i].mul_(factors[i]);
        }
        return norms.cpu().to_type(ScalarType.Float64).data<double>().ToList();
    }

    /// <summary>Norm of all gradients as one vector.</summary>
    public static double Total(IReadOnlyList<double> norms) => Math.Sqrt(norms.Sum(n => n * n));
}
