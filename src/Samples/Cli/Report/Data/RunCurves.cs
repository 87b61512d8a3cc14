using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>The metrics of a run.</summary>
/// <param name="Curves">Each measure by its name, in the order in which they first came.</param>
/// <param name="LastStep">Steps so far.</param>
/// <param name="LastEpoch">The epoch of the last step.</param>
internal sealed record RunCurves(IReadOnlyDictionary<string, Curve> Curves, long LastStep, int LastEpoch)
{
    private const int MostCurves = 40;

    /// <exception cref="InvalidDataException">The file of metrics is larger than any run's.</exception>
    public static RunCurves Read(RunRecord run)
    {
        var curves = new OrderedDictionary<string, Curve>();
        long lastStep = 0;
        int lastEpoch = 0;
        foreach (var metrics in run.ReadMetrics())
        {
            (lastStep, lastEpoch) = (Math.Max(lastStep, metrics.Step), Math.Max(lastEpoch, metrics.Epoch));
            foreach (var (name, value) in metrics.Values)
            {
                if (!curves.TryGetValue(name, out var curve))
                {
                    if (curves.Count == MostCurves) continue;
                    curves.Add(name, curve = new());
                }
                curve.Add(metrics.Step, value);
            }
        }
        return new(curves, lastStep, lastEpoch);
    }
}
