using MaskBias.MLNet.Training;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>A plain line at each phase's first and last step, where k-NN was measured, and every ten seconds between: for logs.</summary>
internal sealed class ProgressLines(IAnsiConsole console, TimeProvider time) : IProgress<TrainingProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private string? phase;
    private long last;

    public void Report(TrainingProgress value)
    {
        lock (gate)
        {
            if (value.Phase == phase && value.Step < value.Steps && value.NearestNeighborAccuracy is null && time.GetElapsedTime(last) < Interval) return;
            (phase, last) = (value.Phase, time.GetTimestamp());
            console.WriteLine($"{value.Phase}: step {value.Step}/{value.Steps}  {LiveProgress.Describe(value)}");
        }
    }
}
