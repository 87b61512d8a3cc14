using MaskBias.MLNet.Training;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>Keeps every reported loss, phase by phase, and passes the report on.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class LossHistory
{
    private readonly Lock gate = new();
    private readonly List<(string Phase, List<TrainingProgress> Reports)> phases = [];

    /// <summary>The reports of each phase, in the order in which the phases began.</summary>
    public IReadOnlyList<(string Phase, IReadOnlyList<TrainingProgress> Reports)> Phases
    {
        get
        {
            lock (gate) return [.. phases.Select(p => (p.Phase, (IReadOnlyList<TrainingProgress>)[.. p.Reports]))];
        }
    }

    /// <summary>A progress that records each report before <paramref name="next"/> sees it.</summary>
    public IProgress<TrainingProgress> Before(IProgress<TrainingProgress> next) => new Recorder(this, next);

    private void Add(TrainingProgress report)
    {
        lock (gate)
        {
            int at = phases.FindIndex(p => p.Phase == report.Phase);
            if (at < 0)
            {
                phases.Add((report.Phase, []));
                at = phases.Count - 1;
            }
            phases[at].Reports.Add(report);
        }
    }

    private sealed class Recorder(LossHistory history, IProgress<TrainingProgress> next) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            history.Add(value);
            next.Report(value);
        }
    }
}
