using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// AdamW over three groups: weights, which decay; biases and norms, which do not; and parameters that join when they are unfrozen, which
/// have no state until then.
/// </summary>
internal sealed class DecoupledAdam : IOptimizer
{
    private readonly AdamW optimizer;
    private readonly AdamW.ParamGroup decayed;
    private readonly List<string> names = [];             // in the order of the optimizer's groups
    private readonly (double First, double Second) betas;

    public DecoupledAdam(IEnumerable<(string Name, Parameter Parameter)> parameters, (double First, double Second) betas)
    {
        this.betas = betas;
        var trained = parameters.Where(p => p.Parameter.requires_grad).ToList();
        decayed = Group(trained.Where(p => Decays(p.Name, p.Parameter)));
        optimizer = optim.AdamW([decayed, Group(trained.Where(p => !Decays(p.Name, p.Parameter)))]);
        names.AddRange(trained.Where(p => Decays(p.Name, p.Parameter)).Select(p => p.Name));
        names.AddRange(trained.Where(p => !Decays(p.Name, p.Parameter)).Select(p => p.Name));
    }

    /// <summary>The moving means of the gradients and of their squares, by name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => ParameterStates.SelectMany((state, i) => new[]
    {
        KeyValuePair.Create("first." + names[i], state.exp_avg), KeyValuePair.Create("second." + names[i], state.exp_avg_sq),
    });

    /// <summary>How often each parameter was updated, in the order of <see cref="State"/>.</summary>
    public IReadOnlyList<long> Steps
    {
        get => [.. ParameterStates.Select(state => state.step)];
        set
        {
            foreach (var (state, steps) in ParameterStates.Zip(value)) state.step = steps;
        }
    }

    /// <summary>Vectors and everything named bias take no weight decay.</summary>
    public static bool Decays(string name, Tensor parameter) => parameter.dim() != 1 && !name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>Takes in parameters that have come to require a gradient; they start with fresh state.</summary>
    public void Join(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var joining = parameters.Where(p => p.Parameter.requires_grad && !names.Contains(p.Name)).ToList();
        if (joining.Count == 0) return;
        foreach (var (name, parameter) in joining)
        {
            if (Decays(name, parameter)) throw new InvalidOperationException($"{name} joins late and would decay; only vectors may join.");
        }
        optimizer.add_param_group(Group(joining));
        names.AddRange(joining.Select(p => p.Name));
    }

    /// <summary>Sets what the next step uses.</summary>
    public void Set(double learningRate, double weightDecay)
    {
        foreach (var group in optimizer.ParamGroups) group.LearningRate = learningRate;
        decayed.Options.weight_decay = weightDecay;
    }

    /// <summary>Updates every parameter that has a gradient.</summary>
    public void Step() => optimizer.step();

    public void Dispose() => optimizer.Dispose();

    private List<AdamW.State> ParameterStates => [.. optimizer.state_dict().State.Cast<AdamW.State>()];

    private AdamW.ParamGroup Group(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new(parameters.Select(p => p.Parameter).ToList(), lr: 0, beta1: betas.First, beta2: betas.Second, eps: 1e-8, weight_decay: 0);
}
