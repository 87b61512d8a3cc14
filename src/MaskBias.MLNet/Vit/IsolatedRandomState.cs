using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Restores libtorch's process-wide random state on disposal: module constructors draw from it, and callers must not notice.</summary>
internal sealed class IsolatedRandomState : IDisposable
{
    private readonly Tensor state = random.get_rng_state().DetachFromDisposeScope();

    public void Dispose()
    {
        random.set_rng_state(state);
        state.Dispose();
    }
}
