using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>Loss, schedules and whatever else a run has measured, over its steps.</summary>
internal static class CurvesSection
{
    private const int MostRows = 40, FewPoints = 60;
    private const double Gigabyte = 1e9;

    // In this order; others follow by their own names.
    private static readonly (string Name, string Title)[] Known =
    [
        ("loss", "loss"), ("k-NN accuracy", "k-NN accuracy"), ("learningRate", "learning rate"), ("weightDecay", "weight decay"),
        ("teacherTemperature", "teacher temperature"), ("teacherEntropy", "entropy of the teacher"),
        ("teacherDivergence", "divergence of the teacher"), ("featureRank", "rank of the teacher's features"),
        ("gradientNorm", "gradient norm"), ("imagesPerSecond", "images per second"), (Memory, "memory of the process, GB"),
    ];

    private static readonly string[] Noisy = ["loss", "gradientNorm", "teacherEntropy", "teacherDivergence", "featureRank"];
    private static readonly string[] Passed = ["secondsElapsed"];

    private const string Memory = "processMemory";

    public static ReportSection Of(string run, RunCurves curves)
    {
        string title = $"{run}: curves";
        string[] known = [.. Known.Select(k => k.Name)];
        var names = known.Where(curves.Curves.ContainsKey).Concat(curves.Curves.Keys.Except(known).Except(Passed));
        var drawn = names.Where(name => curves.Curves[name].Count > 0).Select(name => (IPart)Plot(run, name, curves)).ToList();
        return drawn.Count > 0 ? new(title, drawn) : ReportSection.LeftOut(title, "metrics.jsonl has no step yet, or is not there.");
    }

    private static PlotFigure Plot(string run, string name, RunCurves curves)
    {
        var curve = curves.Curves[name];
        double unit = name == Memory ? Gigabyte : 1;
        var points = curve.Points;
        string title = SafeText.Short(Known.FirstOrDefault(known => known.Name == name).Title ?? name, 40);
        bool isSparse = curve.Count <= FewPoints;
        var plot = new CurvePlot
        {
            Title = $"{run}: {title}", Steps = [.. points.Select(p => p.Step)], Values = [.. points.Select(p => p.Value / unit)],
            LastStep = curves.LastStep, Epochs = curves.LastEpoch, IsNoisy = Noisy.Contains(name) && !isSparse, HasDots = isSparse,
        };
        string alt = $"{run}: {title} over {curves.LastStep} steps: {Numbers.Text(plot.Values[0])} to {Numbers.Text(plot.Values[^1])}.";
        var rows = Numbers.Some(points, MostRows).Select(p =>
            (IReadOnlyList<string>)[Numbers.Text(Math.Round(p.Step)), Numbers.Text(p.Value / unit)]);
        return new($"curve-{run}-{name}", plot, alt, new($"{run}: {title}", ["step", title], [.. rows]));
    }
}
