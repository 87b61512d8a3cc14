using System.Globalization;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>The end of a run: accuracies, learned α, times and files.</summary>
internal static class ResultTable
{
    public static void Write(IAnsiConsole console, QuickstartReport report)
    {
        console.WriteLine();
        if (report.Scores.Count > 0) WriteScores(console, report);
        else if (report.Classes > 0) Line(console, "Accuracies", $"skipped: no class has two images, so none is held out");
        else Line(console, "Accuracies", $"skipped: the images carry no labels to measure against; model.zip gives Features only");
        if (report.Alpha is var (smallest, largest))
            Line(console, "Learned α", $"{smallest:+0.0000;-0.0000;0} to {largest:+0.0000;-0.0000;0} over layers and heads");
        string stages = string.Join(", ", report.Stages.Select(s => FormattableString.Invariant($"{s.Stage} {s.Time.TotalSeconds:0.0} s")));
        Line(console, "Times", $"{stages}; together {report.Stages.Sum(s => s.Time.TotalSeconds):0.0} s");
        Line(console, "Peak memory", $"{report.PeakMemory / 1e9:0.00} GB");
        WriteFiles(console, report.Files);
    }

    private static void WriteScores(IAnsiConsole console, QuickstartReport report)
    {
        var table = new Table { Border = TableBorder.Rounded }
            .AddColumn("Encoder")
            .AddColumn(new TableColumn("k-NN").RightAligned())
            .AddColumn(new TableColumn("Linear").RightAligned());
        foreach (var score in report.Scores)
            table.AddRow(Markup.Escape(score.Encoder), Percent(score.NearestNeighbors), Percent(score.Linear));
        console.Write(table);
        Line(console, "Accuracy on", $"{report.TestImages} held-out images, {report.TrainImages} trained on; {report.Classes} classes");
    }

    private static void WriteFiles(IAnsiConsole console, IReadOnlyList<(string Path, string Content)> files)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (path, content) in files) grid.AddRow(new Text(path), new Text(content));
        console.Write(grid);
    }

    private static void Line(IAnsiConsole console, string name, FormattableString text) =>
        console.MarkupLineInterpolated($"[bold]{name}[/]: {FormattableString.Invariant(text)}");

    private static string Percent(double? accuracy) => accuracy is { } value ? value.ToString("0.0%", CultureInfo.InvariantCulture) : "–";
}
