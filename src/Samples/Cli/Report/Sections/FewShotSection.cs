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
            var view = study.Views[v];
            progress.Report($"few labels: {view.Name}");
            Add(v, view.Name, "k-NN", Mark.Disc, (known, asked) => view.Similarities.Votes(known, asked, classes));
            Add(v, view.Name, "linear", Mark.Square, (known, asked) => LinearLayer.Predict(view.Features, classes, known, asked));
        }
        var plot = new LinesPlot
        {
            Title = "accuracy on images without a label", XName = "labels per class", Lines = lines,
            Marks = [.. shots.Select(s => (Math.Log(s), Numbers.Text(s)))],
        };
        return new(Title,
        [
            new PlotFigure("few-labels", plot, $"Accuracy of nearest neighbours and of a linear layer with {shots[0]} to {shots[^1]} labels per class: "
                + string.Join("; ", lines.Select(line => $"{line.Name} {Numbers.Percent(line.Y[0])} to {Numbers.Percent(line.Y[^1])}")) + ".",
                new("Accuracy by labels per class", ["encoder", "classifier", "labels", "mean", $"lowest to highest of {FewShot.Draws} draws"], rows)),
            new Paragraph($"Nearest neighbours (k-NN, discs) and a linear layer on the features (squares). Means of {FewShot.Draws} draws. All points "
                + "of a draw are measured on the same images; none is ever labelled."),
        ]);

        void Add(int view, string name, string classifier, Mark mark, Func<int[], int[], int[]> classify)
        {
            double[][] accuracies = FewShot.Measure(classify, classes, shots, seed);
            double[] means = [.. accuracies.Select(draws => draws.Average())];
            string line = $"{SafeText.Label(name, 12)} {classifier}";
            lines.Add(new(line, Ink.Series(view), [.. shots.Select(s => Math.Log(s))], means, mark));
            rows.AddRange(shots.Select((s, i) => (IReadOnlyList<string>)
                [name, classifier, Numbers.Text(s), Numbers.Percent(means[i]), Range(accuracies[i])]));
        }

        static string Range(double[] draws) => $"{Numbers.Percent(draws.Min())} to {Numbers.Percent(draws.Max())}";
    }
}
