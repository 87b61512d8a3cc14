using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>What a step learns from.</summary>
/// <param name="Labelled">A view of each image that has a class.</param>
/// <param name="Unlabelled">Two views of each image that has none: the weak one, then the strong one.</param>
internal sealed record SemiSupervisedBatch(ViewBatch Labelled, ViewBatch Unlabelled) : ITrainingBatch
{
    /// <inheritdoc/>
    public IReadOnlyList<long> SourceRows => [.. Labelled.SourceRows, .. Unlabelled.SourceRows];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => [.. Named("labelled", Labelled), .. Named("unlabelled", Unlabelled)];

    private static IEnumerable<KeyValuePair<string, Tensor>> Named(string name, ViewBatch batch) =>
        batch.Tensors.Select(t => KeyValuePair.Create($"{name}.{t.Key}", t.Value));

    public void Dispose()
    {
        Labelled.Dispose();
        Unlabelled.Dispose();
    }
}
