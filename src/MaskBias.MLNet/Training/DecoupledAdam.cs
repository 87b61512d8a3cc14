using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>AdamW: parameters may have learning rates of their own, some take no weight decay, and some join late.</summary>
internal sealed class DecoupledAdam : IOptimizer
{
    private readonly List<AdamGroup> groups = [];
    private readonly List<AdamParameter> parameters = [];             // in the order of the groups
    private readonly (double First, double Second) betas;
    private double learningRate, weightDecay;

    /// <summary>All at the schedule's rate; weights decay, biases and norms do not.</summary>
    public DecoupledAdam(IEnumerable<(string Name, Parameter Parameter)> parameters, (double First, double Second) betas)
        : this(parameters.Where(p => p.Parameter.requires_grad).Select(p => Plain(p.Name, p.Parameter)), betas)
    {
    }

    /// <summary>With a rate and a decay for each parameter, as layer-wise decay needs.</summary>
    public DecoupledAdam(IEnumerable<AdamParameter> parameters, (double First, double Second) betas)
    {
        this.betas = betas;
        // Neighbours of equal treatment are updated together.
        Add([.. parameters.GroupBy(p => (p.Scale, p.Decays)).OrderByDescending(g => g.Key.Decays).SelectMany(g => g)]);
    }

    /// <summary>The moving means of the gradients and of their squares, by name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => parameters.SelectMany(p => new[]
    {
        KeyValuePair.Create("first." + p.Name, p.First), KeyValuePair.Create("second." + p.Name, p.Second),
    });

    /// <summary>How often each parameter was updated, in the order of <see cref="State"/>.</summary>
    public IReadOnlyList<long> Steps
    {
        get => [.. parameters.Select(p => p.Steps)];
        set
        {
            foreach (var (parameter, steps) in parameters.Zip(value)) parameter.Steps = steps;
        }
    }

    /// <summary>The learning rates of the next step, one for each pair of scale and decay that occurs.</summary>
    public IEnumerable<double> LearningRates => parameters.Select(p => (p.Scale, p.Decays)).Distinct().Select(p => p.Scale * learningRate);

    /// <summary>Vectors and everything named bias take no weight decay.</summary>
    public static bool Decays(string name, Tensor parameter) => parameter.dim() != 1 && !name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>Takes in parameters that have come to require a gradient; they start with fresh state.</summary>
    public void Join(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var known = this.parameters.Select(p => p.Name).ToHashSet();
        Add([.. parameters.Where(p => p.Parameter.requires_grad && !known.Contains(p.Name)).Select(p => Plain(p.Name, p.Parameter))]);
    }

    /// <summary>Sets what the next step uses.</summary>
    public void Set(double learningRate, double weightDecay) => (this.learningRate, this.weightDecay) = (learningRate, weightDecay);

    /// <summary>Updates every parameter that has a gradient.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var group in groups) group.Step(learningRate, weightDecay, betas);
    }

    public void Dispose()
    {
        foreach (var group in groups) group.Dispose();
    }

    private static AdamParameter Plain(string name, Parameter parameter) => new(name, parameter, 1, Decays(name, parameter));

    private void Add(IReadOnlyList<AdamParameter> added)
    {
        if (added.Count == 0) return;
        groups.Add(new(added));
        parameters.AddRange(added);
    }
}
