using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Follows a classifier's epochs: logs and reports their metrics, knows the best one, and when it is time to stop. An epoch's last step is
/// reported when the epoch is measured, with its metrics.
/// </summary>
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
        if (value.Step * value.Epochs != value.Epoch * value.Steps) next?.Report(last);
    }

    /// <summary>Takes the measures of an epoch.</summary>
    /// <returns>Whether it is the best so far: more rows right, or as many with a lower loss.</returns>
    public bool EndEpoch(double? validationLoss, double? validationAccuracy)
    {
        var metrics = new EpochMetrics(epochs.Count + 1, lossSum / Math.Max(1, steps), validationLoss, validationAccuracy);
        (lossSum, steps) = (0, 0);
        return Add(metrics);
    }

    /// <summary>Reports the last step of the epoch that has ended, where nothing was measured that is worth a line.</summary>
    public void Forward()
    {
        if (last is not null) next?.Report(last);
    }

    /// <summary>Logs and reports the measures of the epoch that has ended.</summary>
    public void Publish()
    {
        if (last is not null) Publish(epochs[^1], last);
    }

    /// <summary>Takes up a run where it was.</summary>
    /// <param name="lastStep">The state of the run after its last step; null before the first.</param>
    /// <param name="losses">Its losses of all steps.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch.</param>
    /// <param name="measures">What was measured after each of the epochs that have ended.</param>
    public void Restore(
        TrainingProgress? lastStep, IReadOnlyList<double> losses, int stepsPerEpoch, IEnumerable<(double Loss, double Accuracy)?> measures)
    {
        last = lastStep is null ? null : lastStep with { Loss = lastStep.Loss * lossScale };
        int done = 0;
        foreach (var measure in measures)
        {
            Follow(losses.Skip(done).Take(stepsPerEpoch));
            done += stepsPerEpoch;
            Add(new(epochs.Count + 1, lossSum / Math.Max(1, steps), measure?.Loss, measure?.Accuracy));
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
        next?.Report(state with { Metrics = new Dictionary<string, double>([.. state.Metrics, .. values]) });
    }
}
