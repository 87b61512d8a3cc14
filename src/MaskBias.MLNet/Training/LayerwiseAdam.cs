using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>AdamW with a learning rate per group, as layer-wise decay needs; some groups decay, others do not.</summary>
internal sealed class LayerwiseAdam : IOptimizer
{
    private readonly AdamW optimizer;
    private readonly List<(AdamW.ParamGroup Group, double Scale, bool Decays)> groups;

    public LayerwiseAdam(
        IEnumerable<(Parameter Parameter, double Scale, bool Decays)> parameters, (double First, double Second) betas)
    {
        groups = [.. parameters.GroupBy(p => (p.Scale, p.Decays)).Select(g => (
            new AdamW.ParamGroup([.. g.Select(p => p.Parameter)], lr: 0, beta1: betas.First, beta2: betas.Second, eps: 1e-8, weight_decay: 0),
            g.Key.Scale, g.Key.Decays))];
        optimizer = optim.AdamW([.. groups.Select(g => g.Group)]);
    }

    /// <summary>Learning rate of each group in the last step, in order of the groups' first parameters.</summary>
    public IEnumerable<double> LearningRates => groups.Select(g => g.Group.LearningRate);

    /// <inheritdoc/>
    public void Join(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        // All are known from the start.
    }

    /// <inheritdoc/>
    public void Set(double learningRate, double weightDecay)
    {
        foreach (var (group, scale, decays) in groups)
        {
            group.LearningRate = learningRate * scale;
            group.Options.weight_decay = decays ? weightDecay : 0;
        }
    }

    /// <inheritdoc/>
    public void Step() => optimizer.step();

    public void Dispose() => optimizer.Dispose();
}
