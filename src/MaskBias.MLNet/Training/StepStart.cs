using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Takes back what a step changed before its update, should it not be finished: the generators that it drew from, and what its forward passes
/// moved beside the parameters, such as the statistics of batch normalisation.
/// </summary>
internal sealed class StepStart(IEnumerable<KeyValuePair<string, Generator>> generators, IEnumerable<KeyValuePair<string, Tensor>> state)
    : IDisposable
{
    private readonly List<Generator> drawn = [.. generators.Select(g => g.Value)];
    private readonly List<Tensor> moved = [.. state.Select(t => t.Value).Where(t => t is not Parameter)];
    private List<Tensor> states = [], values = [];

    /// <summary>Remembers everything as it is.</summary>
    public void Keep()
    {
        Forget();
        using var _ = no_grad();
        states = [.. drawn.Select(g => g.get_state().DetachFromDisposeScope())];
        values = [.. moved.Select(t => t.clone().DetachFromDisposeScope())];
    }

    /// <summary>Writes back what was kept, if anything is.</summary>
    public void Restore()
    {
        using var _ = no_grad();
        for (int i = 0; i < states.Count; i++) drawn[i].set_state(states[i]);
        for (int i = 0; i < values.Count; i++) moved[i].copy_(values[i]);
        Forget();
    }

    /// <summary>Drops what was kept.</summary>
    public void Forget()
    {
        foreach (var tensor in states.Concat(values)) tensor.Dispose();
        (states, values) = ([], []);
    }

    public void Dispose() => Forget();
}
