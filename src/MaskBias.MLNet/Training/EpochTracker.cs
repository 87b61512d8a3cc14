using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>Follows a classifier's epochs: logs and reports their metrics, knows the best one, and when it is time to stop.</summary>
/// <param name="log">Receives a line per epoch.</param>
/// <param name="next">Receives every step, and the metrics of every epoch.</param>
/// <param name="patience">Epochs without a better one after which to stop; null for never.</param>
/// <param name="lossScale">What the loop's losses are multiplied with to be those of one classifier.</param>
internal sealed class EpochTracker(RunLog log, IProgress<TrainingProgress>? next, int? patience = null, double lossScale = 1)
    : IProgress<TrainingProgress>
{
    private readonly List<EpochMetrics> epochs = [];
    private EpochMetrics? best;
    private TrainingProgress? last;
    private double lossSum;
    private int steps;

    public IReadOnlyList<EpochMetrics> Epochs => epochs;

    /// <summary>The best epoch so far, counted from 1; without validation the latest. 0 where none is better than what <see cref="Begin"/> took.</summary>
    public int BestEpoch => best?.Epoch ?? 0;

    /// <summary>Whether there is hope of a better epoch.</summary>
    public bool GoesOn => patience is null || epochs.Count - BestEpoch < patience;

    /// <summary>Takes the measures before the first epoch, which the epochs have to beat.</summary>
    public void Begin(double validationLoss, double validationAccuracy) => best = new(0, double.NaN, validationLoss, validationAccuracy);

    public void Report(TrainingProgress value)
    {
        last = value with { Loss = value.Loss * lossScale };
        lossSum += last.Loss;
        steps++;
        next?.Report(last);
    }

    /// <summary>Takes the measures of an epoch.</summary>
    /// <returns>Whether it is the best so far: more rows right, or as many with a lower loss.</returns>
    public bool EndEpoch(double? validationLoss, double? validationAccuracy)
    {
        var metrics = new EpochMetrics(epochs.Count + 1, lossSum / Math.Max(1, steps), validationLoss, validationAccuracy);
        (lossSum, steps) = (0, 0);
        bool isBest = Add(metrics);
        if (last is not null) Publish(metrics, last);
        return isBest;
    }

    /// <summary>Takes up a run where it was: its losses of all steps, and what was measured after the epochs that ended.</summary>
    public void Restore(IReadOnlyList<double> losses, int stepsPerEpoch, IEnumerable<(double? Loss, double? Accuracy)> measures)
    {
        int done = 0;
        foreach (var (loss, accuracy) in measures)
        {
            Follow(losses.Skip(done).Take(stepsPerEpoch));
            done += stepsPerEpoch;
            Add(new(epochs.Count + 1, lossSum / Math.Max(1, steps), loss, accuracy));
            (lossSum, steps) = (0, 0);
        }
        Follow(losses.Skip(done));
    }

    private void Follow(IEnumerable<double> losses)
    {
        foreach (double loss in losses)
        {
            lossSum += loss * lossScale;
            steps++;
        }
    }

    private bool Add(EpochMetrics metrics)
    {
        bool isBest = best is null || metrics.ValidationAccuracy is null || IsBetter(metrics, best);
        epochs.Add(metrics);
        if (isBest) best = metrics;
        return isBest;
    }

    private static bool IsBetter(EpochMetrics one, EpochMetrics other) =>
        one.ValidationAccuracy > other.ValidationAccuracy
        || (one.ValidationAccuracy == other.ValidationAccuracy && one.ValidationLoss < other.ValidationLoss);

    private void Publish(EpochMetrics metrics, TrainingProgress state)
    {
        var values = new Dictionary<string, double> { ["training loss"] = metrics.TrainingLoss };
        if (metrics.ValidationLoss is { } loss) values["validation loss"] = loss;
        if (metrics.ValidationAccuracy is { } accuracy) values["validation accuracy"] = accuracy;
        string list = string.Join(", ", values.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Key} {v.Value:f4}")));
        log.Info(string.Create(CultureInfo.InvariantCulture,
            $"{state.Phase}: epoch {state.Epoch} of {state.Epochs}, {list}, {state.ImagesPerSecond:f1} images/s."));
        next?.Report(state with { Metrics = values });
    }
}
