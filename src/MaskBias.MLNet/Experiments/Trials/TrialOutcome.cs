using Microsoft.ML;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>What came of a trial's training and measuring.</summary>
/// <param name="Metrics">All metrics by name, means over the folds.</param>
/// <param name="TrainingTime">Time in training.</param>
/// <param name="ScoringTime">Time in scoring what was held out.</param>
/// <param name="ScoredRows">Rows that were scored.</param>
/// <param name="ModelBytes">Size of the model, encoder included; null where it cannot be saved.</param>
/// <param name="Model">What was trained: on features, or on images. Null where there were folds.</param>
internal sealed record TrialOutcome(
    IReadOnlyDictionary<string, double> Metrics, TimeSpan TrainingTime, TimeSpan ScoringTime, int ScoredRows, long? ModelBytes,
    ITransformer? Model) : IDisposable
{
    public void Dispose() => (Model as IDisposable)?.Dispose();
}
