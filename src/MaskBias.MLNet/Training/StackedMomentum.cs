using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Stochastic gradient descent with momentum, or LARS (You et al., 2017, as MAE's linear probe uses it), for H models that are trained side
/// by side, each with its own learning rate and weight decay: the first dimension of every parameter counts the models.
/// </summary>
/// <remarks>
/// d = g + w·p; u ← m·u + r·d; p ← p − η·u. SGD has r = 1. LARS has r = c·‖p‖/‖d‖ per model for matrices; its vectors neither decay nor
/// are scaled.
/// </remarks>
internal sealed class StackedMomentum : IOptimizer
{
    private readonly IReadOnlyList<Parameter> parameters;
    private readonly List<Tensor> updates;
    private readonly Tensor rates, decays;            // [H]
    private readonly double momentum;
    private readonly double? trust;
    private double learningRate, weightDecay;

    /// <param name="parameters">[H, ...] each.</param>
    /// <param name="rates">Learning rate of each of the H models as a multiple of what <see cref="Set"/> gives.</param>
    /// <param name="decays">Weight decay of each as a multiple of what <see cref="Set"/> gives.</param>
    /// <param name="momentum">m.</param>
    /// <param name="trustCoefficient">LARS's c; null for SGD.</param>
    public StackedMomentum(IReadOnlyList<Parameter> parameters, float[] rates, float[] decays, double momentum,
        double? trustCoefficient = null)
    {
        (this.parameters, this.momentum, trust) = (parameters, momentum, trustCoefficient);
        updates = [.. parameters.Select(p => zeros_like(p).DetachFromDisposeScope())];
        this.rates = tensor(rates, device: parameters[0].device).DetachFromDisposeScope();
        this.decays = tensor(decays, device: parameters[0].device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Join(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        // All are known from the start.
    }

    /// <inheritdoc/>
    public void Set(double learningRate, double weightDecay) => (this.learningRate, this.weightDecay) = (learningRate, weightDecay);

    /// <inheritdoc/>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        for (int i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].grad is not { } direction) continue;
            var parameter = parameters[i];
            bool scales = trust is not null && parameter.dim() > 2;
            if (weightDecay > 0 && (trust is null || scales)) direction = Sum(direction, PerModel(decays * Number(weightDecay), parameter) * parameter);
            if (scales) direction = direction * PerModel(TrustRatio(parameter, direction), parameter);
            updates[i].mul_(Number(momentum)).add_(direction, alpha: Number(1));
            parameter.sub_(updates[i] * PerModel(rates * Number(learningRate), parameter));
        }
    }

    public void Dispose()
    {
        foreach (var update in updates) update.Dispose();
        rates.Dispose();
        decays.Dispose();
    }

    // c·‖p‖/‖d‖, or 1 where either is 0: [H]
    private Tensor TrustRatio(Tensor parameter, Tensor direction)
    {
        var (weights, steps) = (Norm(parameter), Norm(direction));
        var ratio = Number(trust!.Value) * weights / steps;
        return where((weights > Number(0)).logical_and(steps > Number(0)), ratio, ones_like(ratio));
    }

    private static Tensor Norm(Tensor stack) => stack.flatten(1).pow(Number(2)).sum(1).sqrt();

    private static Tensor PerModel(Tensor values, Tensor like) => values.view([values.shape[0], .. Enumerable.Repeat(1L, (int)like.dim() - 1)]);
}
