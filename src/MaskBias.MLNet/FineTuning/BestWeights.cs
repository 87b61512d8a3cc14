using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>A copy of the weights of the best epoch, in host memory.</summary>
internal sealed class BestWeights : IDisposable
{
    private List<Tensor> copies = [];

    public void Take(FineTuneModel model)
    {
        Dispose();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        copies = [.. model.Parameters.Select(p => p.Parameter.detach().cpu().clone().DetachFromDisposeScope())];
    }

    /// <summary>Gives the weights back; nothing where none were taken.</summary>
    public void Restore(FineTuneModel model)
    {
        using var _ = no_grad();
        foreach (var (parameter, copy) in model.Parameters.Zip(copies)) parameter.Parameter.copy_(copy);
    }

    public void Dispose()
    {
        foreach (var copy in copies) copy.Dispose();
        copies = [];
    }
}
