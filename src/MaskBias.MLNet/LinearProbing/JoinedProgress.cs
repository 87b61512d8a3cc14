using System.Diagnostics;
using MaskBias.MLNet.Training;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Reports trainings one after the other as one.</summary>
internal sealed class JoinedProgress : IProgress<TrainingProgress>
{
    private readonly IProgress<TrainingProgress> next;
    private readonly long[] steps;              // of each training
    private readonly long start = Stopwatch.GetTimestamp();
    private int current = -1;

    private JoinedProgress(IProgress<TrainingProgress> next, long[] steps) => (this.next, this.steps) = (next, steps);

    /// <summary>Joins trainings of as many epochs each.</summary>
    /// <returns>Null where nothing is to be reported.</returns>
    public static JoinedProgress? Of(IProgress<TrainingProgress>? next, ProbeSource[] trainings, int epochs) =>
        next is null ? null : new(next, Array.ConvertAll(trainings, t => (long)t.StepsPerEpoch * epochs));

    /// <summary>Begins the next of them.</summary>
    public JoinedProgress Next()
    {
        current++;
        return this;
    }

    public void Report(TrainingProgress value)
    {
        long done = steps.Take(current).Sum() + value.Step, all = steps.Sum();
        var elapsed = Stopwatch.GetElapsedTime(start);
        next.Report(value with
        {
            Epoch = (current * value.Epochs) + value.Epoch, Epochs = steps.Length * value.Epochs, Step = done, Steps = all, Elapsed = elapsed,
            Remaining = elapsed * ((double)(all - done) / Math.Max(1, done)),
        });
    }
}
