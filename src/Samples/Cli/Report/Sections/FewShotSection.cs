using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>The accuracy against the number of labels per class.</summary>
internal static class FewShotSection
{
    public const string Title = "Accuracy with few labels";

    public static ReportSection Of(ImageStudy study, int seed, IProgress<string> progress)
    {
        int[] classes = study.Classes, shots = FewShot.Shots(classes);
        if (shots.Length < 2)
            return ReportSection.LeftOut(Title, "It needs classes of four images or more, to label some and to test on the others.");
        var (lines, rows) = (new List<PlotLine>(), new List<IReadOnlyList<string>>());
        for (int v = 0; v < study.Views.Count; v++)
        {
            var (name, similarities) = (study.Views[v].Name, study.Views[v].Similarities);
            progress.Report($"few labels: {name}");
            double[][] accuracies = FewShot.Measure(similarities, classes, shots, seed);
            double[] means = [.. accuracies.Select(draws => draws.Average())];
            lines.Add(new(SafeText.Label(name, 20), Ink.Series(v), [.. shots.Select(s => Math.Log(s))], means, MarkExtensions.Of(v)));
            rows.AddRange(shots.Select((s, i) => (IReadOnlyList<string>)
                [name, Numbers.Text(s), Numbers.Percent(means[i]), Range(accuracies[i])]));
        }
        var plot = new LinesPlot
        {
            Title = "accuracy of k-NN on images without a label", XName = "labels per class", Lines = lines,
            Marks = [.. shots.Select(s => (Math.Log(s), Numbers.Text(s)))],
        };
        return new(Title,
        [
            new PlotFigure("few-labels", plot, $"Accuracy of nearest neighbours with {shots[0]} to {shots[^1]} labels per class: "
                + string.Join("; ", lines.Select(line => $"{line.Name} {Numbers.Percent(line.Y[0])} to {Numbers.Percent(line.Y[^1])}")) + ".",
                new("Accuracy by labels per class", ["encoder", "labels", "mean", $"lowest to highest of {FewShot.Draws} draws"], rows)),
            new Paragraph($"Means of {FewShot.Draws} draws. All points of a draw are measured on the same images; none is ever labelled."),
        ]);

        static string Range(double[] draws) => $"{Numbers.Percent(draws.Min())} to {Numbers.Percent(draws.Max())}";
    }
}
