using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>Takes generators back to where a step began, should it not be finished.</summary>
internal sealed class GeneratorStates(IEnumerable<KeyValuePair<string, Generator>> generators) : IDisposable
{
    private readonly List<Generator> all = [.. generators.Select(g => g.Value)];
    private List<Tensor> kept = [];

    /// <summary>Remembers the states as they are.</summary>
    public void Keep()
    {
        Forget();
        kept = [.. all.Select(g => g.get_state().DetachFromDisposeScope())];
    }

    /// <summary>Writes back what was kept, if anything is.</summary>
    public void Restore()
    {
        for (int i = 0; i < kept.Count; i++) all[i].set_state(kept[i]);
        Forget();
    }

    /// <summary>Drops what was kept.</summary>
    public void Forget()
    {
        foreach (var state in kept) state.Dispose();
        kept = [];
    }

    public void Dispose() => Forget();
}
