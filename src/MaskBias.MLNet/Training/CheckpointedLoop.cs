using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Training;

/// <summary>Runs a loop to its end, and keeps its state when it ends, however that is.</summary>
internal static class CheckpointedLoop
{
    /// <summary>Trains; what stops the run is thrown when the last whole step is kept.</summary>
    /// <param name="loop">The loop, which may have been resumed.</param>
    /// <param name="batches">Gives the batches of an epoch from a step on.</param>
    /// <param name="recorder">Keeps the state; null where nothing is kept, as on every rank but the first.</param>
    /// <param name="ranks">The ranks of the run.</param>
    /// <param name="log">Told what stopped a run whose ranks were lost.</param>
    /// <param name="cancellation">Stops the run before its next step.</param>
    public static void Run<TBatch>(
        TrainingLoop<TBatch> loop, Func<TrainingPosition, IEnumerable<TBatch>> batches, RunRecorder? recorder, IRanks ranks, RunLog log,
        CancellationToken cancellation)
        where TBatch : IDisposable
    {
        try
        {
            using var watch = ranks.Watch(log.Warn);
            loop.Run(batches, cancellation);
        }
        catch (Exception e) when (e is not (TrainingDivergedException or CheckpointException) && !loop.IsTorn)
        {
            // The launcher gives little time once a rank has ended: the cause is told before anything else.
            var lost = e as RankFailedException ?? (e is OperationCanceledException ? ranks.WhyStopping() : null);
            if (lost is not null) log.Warn($"{lost.Message} The run ends at step {loop.Next.Step}.");
            KeepWhatThereIs(recorder, loop, log);
            if (lost is not null && lost != e) throw lost;
            throw;
        }
        recorder?.Save(loop.Next, loop.State);
    }

    // A run that is cancelled, or that the data failed, can go on from its last whole step. What stopped it is what the caller must see.
    private static void KeepWhatThereIs<TBatch>(RunRecorder? recorder, TrainingLoop<TBatch> loop, RunLog log)
        where TBatch : IDisposable
    {
        try
        {
            recorder?.Save(loop.Next, loop.State);
        }
        catch (Exception e)
        {
            log.Warn($"No checkpoint of step {loop.Next.Step} is left: {e.Message}");
        }
    }
}
