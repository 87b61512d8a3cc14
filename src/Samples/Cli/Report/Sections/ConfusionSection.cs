using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>How well the classes of images are told by their nearest neighbours, and which are taken for which.</summary>
internal static class ConfusionSection
{
    public const string Title = "Classes by nearest neighbours";

    private const int MostClasses = 30, MostLetters = 20;

    public static ReportSection Of(ImageStudy study)
    {
        int[] classes = study.Classes;
        int labelled = classes.Count(c => c >= 0);
        double largest = classes.Where(c => c >= 0).GroupBy(c => c).Max(g => g.Count()) / (double)labelled;
        var predictions = study.Views.Select(view => view.Similarities.LeaveOneOut(classes)).ToList();
        var accuracies = study.Views.Zip(predictions, (view, predicted) =>
            (view.Name, Share: classes.Zip(predicted).Count(p => p.First >= 0 && p.First == p.Second) / (double)labelled)).ToList();
        var parts = new List<IPart>
        {
            new Cards([.. accuracies.Select(a => (a.Name, Numbers.Percent(a.Share)))]),
            new Paragraph($"The share of {labelled} images whose class their 20 nearest neighbours among the others vote for, under each "
                + $"encoder; an untrained one of the same architecture is there to compare with. The most common class is {Numbers.Percent(largest)} "
                + "of the images."),
        };
        return new(Title, [.. parts, Matrix(study, classes, predictions[0])]);
    }

    private static PlotFigure Matrix(ImageStudy study, int[] actual, int[] predicted)
    {
        // The largest classes; what is left of many counts as one.
        var largest = actual.Where(c => c >= 0).GroupBy(c => c).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).Take(MostClasses);
        int[] shown = [.. largest.Select(g => g.Key).Order()];
        bool hasOthers = shown.Length < study.Images.Classes.Count;
        IEnumerable<string> kept = shown.Select(c => SafeText.Label(study.Images.Classes[c], MostLetters));
        string[] names = hasOthers ? [.. kept, "other classes"] : [.. kept];
        int[][] counts = [.. names.Select(_ => new int[names.Length])];
        for (int i = 0; i < actual.Length; i++)
        {
            if (actual[i] >= 0 && predicted[i] >= 0) counts[Place(actual[i])][Place(predicted[i])]++;
        }
        string encoder = study.Views[0].Name;
        var rows = counts.Select((row, i) => (IReadOnlyList<string>)[names[i], .. row.Select(count => Numbers.Text(count))]);
        var plot = new MatrixPlot { Title = $"{encoder}: a row per class, a column for what it is taken for", Names = names, Counts = counts };
        return new("confusion", plot, $"{encoder}: confusion matrix of {names.Length} classes.",
            new("Images by class (rows) and by what they are taken for (columns)", ["class", .. names], [.. rows]));

        int Place(int c) => Array.BinarySearch(shown, c) is >= 0 and int place ? place : shown.Length;
    }
}
