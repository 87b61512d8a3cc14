using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>A copy of the weights of the best epoch, in host memory; of the start, until there is one.</summary>
internal sealed class BestWeights : IDisposable
{
    private readonly List<KeyValuePair<string, Tensor>> copies;

    public BestWeights(FineTuneModel model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        copies = [.. model.Parameters.Select(p =>
            KeyValuePair.Create("best." + p.Name, p.Parameter.detach().cpu().clone().DetachFromDisposeScope()))];
    }

    /// <summary>The copies by name, for a checkpoint.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => copies;

    /// <summary>Copies a model's weights.</summary>
    public void Take(FineTuneModel model)
    {
        using var _ = no_grad();
        foreach (var (parameter, copy) in model.Parameters.Zip(copies)) copy.Value.copy_(parameter.Parameter);
    }

    /// <summary>Gives the weights back.</summary>
    public void Restore(FineTuneModel model)
    {
        using var _ = no_grad();
        foreach (var (parameter, copy) in model.Parameters.Zip(copies)) parameter.Parameter.copy_(copy.Value);
    }

    public void Dispose()
    {
        foreach (var copy in copies) copy.Value.Dispose();
    }
}
