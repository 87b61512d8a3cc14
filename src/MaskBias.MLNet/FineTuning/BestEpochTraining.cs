using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.FineTuning;

/// <summary>
/// The epochs of either stage of fine-tuning: after each, the rows held out are measured; at the end the model is as it was after the best
/// one. It goes on from a checkpoint where there is one.
/// </summary>
internal sealed record BestEpochTraining<TBatch> where TBatch : IDisposable
{
    /// <summary>Length and schedules.</summary>
    public required TrainingPlan Plan { get; init; }

    /// <summary>What is trained.</summary>
    public required ITrainingMethod<TBatch> Method { get; init; }

    /// <summary>Makes the optimizer, which is disposed at the end.</summary>
    public required Func<IOptimizer> Optimizer { get; init; }

    /// <summary>The weights that are measured and kept: the model's, or their moving average.</summary>
    public required FineTuneModel Evaluated { get; init; }

    /// <summary>Measures the rows held out; null where there are none.</summary>
    public required Func<(double Loss, double Accuracy)>? Evaluate { get; init; }

    /// <summary>Whether the epochs have to beat the model as it starts.</summary>
    public bool MustBeatStart { get; init; }

    /// <summary>Epochs without a better one after which training stops; null for never.</summary>
    public required int? Patience { get; init; }

    /// <summary>Hears of the steps on rank 0; may be null.</summary>
    public required IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>The run's log.</summary>
    public required RunLog Log { get; init; }

    /// <summary>The ranks of the run.</summary>
    public IRanks Ranks { get; init; } = OneRank.Instance;

    /// <summary>Averages gradients over the ranks; null where there is one.</summary>
    public GradientReducer? Reducer { get; init; }

    /// <summary>Keeps the run on disk; null where nothing is kept.</summary>
    public RunRecorder? Recorder { get; init; }

    /// <summary>What the run is, where it is kept.</summary>
    public RunDescription? Description { get; init; }

    /// <summary>Trains to the last epoch's end, or until there is no hope of a better one.</summary>
    /// <param name="batches">Gives the batches of an epoch from a step on.</param>
    /// <param name="cancellation">Stops the run before its next step.</param>
    public BestEpochResult Run(Func<TrainingPosition, IEnumerable<TBatch>> batches, CancellationToken cancellation)
    {
        var tracker = new EpochTracker(Log, RecordedProgress.Of(Recorder, Ranks.IsRoot ? Progress : null), Patience);
        using var measures = new EpochMeasures(Plan.Epochs);
        using var best = Evaluate is null ? null : new BestWeights(Evaluated);
        TrainingLoop<TBatch> loop = null!;
        using var running = loop = new(Plan, Method, Optimizer())
        {
            Progress = tracker, EndEpoch = EndEpoch, Reducer = Reducer, ExtraState = [measures.State, .. best?.State ?? []],
            StepDone = () =>
            {
                if (loop.Next.Step % Plan.StepsPerEpoch != 0) Keep();           // an epoch has not ended before it is measured
            },
            Diverged = (batch, fault) => Recorder?.Replay(batch, loop.Next, loop.State, fault, Log.Warn) ?? fault,
        };
        RankAgreement.Start(Ranks, loop, Recorder?.Begin(Description!, Log));
        long resumed = loop.Next.Step;
        if (MustBeatStart && Evaluate is not null && resumed == 0) measures.Set(0, Evaluate());
        if (measures.AtStart is { } start) tracker.Begin(start.Loss, start.Accuracy);
        tracker.Restore(loop.LastStep, loop.Losses, Plan.StepsPerEpoch, measures.Ended);
        if (measures.Ended.Count < loop.Next.Epoch) EndEpoch(loop.Next.Epoch - 1);
        if (tracker.GoesOn) CheckpointedLoop.Run(loop, batches, Recorder, Ranks, Log, cancellation);
        best?.Restore(Evaluated);
        return new(loop.Losses, loop.Elapsed, resumed, tracker.Epochs, tracker.BestEpoch);

        bool EndEpoch(int epoch)
        {
            var measure = Evaluate?.Invoke();
            if (tracker.EndEpoch(measure?.Loss, measure?.Accuracy)) best?.Take(Evaluated);
            measures.Set(epoch + 1, measure);
            tracker.Publish();                          // a listener may throw: by now the epoch has ended
            Keep();
            return tracker.GoesOn;
        }

        void Keep() => Recorder?.AfterStep(loop.Next, () => loop.State);
    }
}
