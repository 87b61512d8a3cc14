namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>A measure over the steps of a run, in a bounded number of points: means of as many values as there need to be.</summary>
internal sealed class Curve
{
    private const int MostPoints = 1024;

    private readonly List<(double Step, double Value)> points = [];
    private double stepSum, valueSum;
    private int gathered, perPoint = 1;

    /// <summary>Values that were added and are finite.</summary>
    public long Count { get; private set; }

    /// <summary>The last of them.</summary>
    public double Last { get; private set; } = double.NaN;

    /// <summary>The points, ascending.</summary>
    public IReadOnlyList<(double Step, double Value)> Points =>
        gathered == 0 ? points : [.. points, (stepSum / gathered, valueSum / gathered)];

    /// <summary>Adds the value of a step; one that is not finite leaves a gap.</summary>
    public void Add(long step, double value)
    {
        if (!double.IsFinite(value)) return;
        Last = value;
        Count++;
        stepSum += step;
        valueSum += value;
        if (++gathered < perPoint) return;
        points.Add((stepSum / gathered, valueSum / gathered));
        (stepSum, valueSum, gathered) = (0, 0, 0);
        if (points.Count < MostPoints) return;
        for (int i = 0; i < MostPoints / 2; i++)
            points[i] = ((points[2 * i].Step + points[2 * i + 1].Step) / 2, (points[2 * i].Value + points[2 * i + 1].Value) / 2);
        points.RemoveRange(MostPoints / 2, MostPoints / 2);
        perPoint *= 2;
    }
}
