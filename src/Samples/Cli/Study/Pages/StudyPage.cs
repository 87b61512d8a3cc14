using System.Globalization;
using System.Text;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>Writes what a study has found: study.md with its pictures, and the tables as files. Needs the results alone.</summary>
internal static class StudyPage
{
    /// <summary>Name of the page.</summary>
    public const string FileName = "study.md";

    private const int MostLetters = 90;                 // of a pair's name in a picture

    /// <summary>Writes the page and the tables.</summary>
    /// <returns>The page's path.</returns>
    public static string Write(StudyPlan plan, StudyFolder folder)
    {
        var results = StudyResults.Read(plan, folder);
        var page = new Markdown().Heading(1, plan.Name);
        if (plan.Description is not null) page.Paragraph(plan.Description);
        Setting(page, results);
        Accuracies(page, results, folder);
        Differences(page, results, folder);
        BiasPart.Write(page, results, folder);
        CostPart.Write(page, results);
        Search(page, results);
        Faults(page, results);
        string path = Path.Combine(folder.Root, FileName);
        WholeFile.Write(path, Encoding.UTF8.GetBytes(page.ToString()));
        StudyTables.Write(results, folder);
        return path;
    }

    private static void Setting(Markdown page, StudyResults results)
    {
        var plan = results.Plan;
        var encoder = PlanOptions.Encoder(plan);
        page.Heading(2, "What was compared");
        var items = new List<string>();
        if (results.Images is { } images)
        {
            string extra = images.Extra > 0 ? $", {images.Extra} more to pretrain on" : "";
            items.Add($"Images: {images.Train} labelled to learn from{extra}, {images.Test.Count} to measure on, {images.Classes.Count} "
                + "classes.");
        }
        items.Add($"Encoder: {encoder.EmbedDim} wide, {encoder.Depth} deep, {encoder.Heads} heads, patches of {encoder.PatchSize} in "
            + $"images of {encoder.ImageSize} pixels.");
        bool distils = plan.Cells.Any(c => c.Distilled);
        string distilled = distils ? FormattableString.Invariant($"; a distillation {plan.DistillationImagesSeen:#,0} more") : "";
        items.Add(FormattableString.Invariant($"Budget: every training sees {plan.ImagesSeen:#,0} images") + distilled
            + $". Seeds: {string.Join(", ", plan.Seeds)}.");
        string[] devices = [.. results.Runs.Values.Select(r => r.Device).Distinct()];
        if (devices.Length > 0) items.Add($"Trained on: {string.Join("; ", devices)}.");
        foreach (string part in plan.Options.Keys.Where(part => part != "Encoder" && plan.OptionsOf(part).Count > 0))
            items.Add($"{part}: {Text(plan.OptionsOf(part))}. The rest are the library's defaults.");
        page.List(items);
        page.Table(["cell", "method", "masks", "distilled", "own options"], plan.Cells.Select(c => (IReadOnlyList<string>)
        [
            c.Name, $"{c.Method}", (c.Masks ?? "–") + (c.Shuffled ? ", of other images" : ""), c.Distilled ? "yes" : "–",
            Text([.. c.Options, .. c.FreezeBias is { } f ? [("bias frozen for", Markdown.Percent(f) + "% of the run")]
                : Array.Empty<(string, string)>(), .. c.Distillation]),
        ]));
    }

    private static void Accuracies(Markdown page, StudyResults results, StudyFolder folder)
    {
        page.Heading(2, "Accuracy on the test images");
        var measures = results.Measures;
        if (measures.Count == 0)
        {
            page.Paragraph("Nothing was measured yet.");
            return;
        }
        page.Paragraph("Per cent right; the mean over seeds ± their standard deviation, with the number of seeds where it is not that of "
            + "the plan. \"Masks\": the encoder sees the images with masks of the source that it was trained with. Nearest neighbours see the "
            + "encoder's own feature vector; linear layers see the class tokens of the last four blocks and the mean of the patches, the "
            + "same for all cells, and choose their learning rate and weight decay by the labels that they have. All cells of a seed have the "
            + "same few labels.");
        page.Table(["cell", .. measures], results.Plan.Cells.Select(cell =>
            (IReadOnlyList<string>)[cell.Name, .. measures.Select(m => Accuracy(results, cell.Name, m))]));
        var shown = measures.Where(m => !m.EndsWith(StudyMeasure.WithMasks, StringComparison.Ordinal)).ToList();
        var cells = results.Plan.Cells.Where(c => shown.Any(m => results.Accuracies(c.Name, m).Count > 0)).ToList();
        var plot = new BarsPlot
        {
            Title = "per cent right, lowest to highest seed", Series = [.. cells.Select(c => Report.Page.SafeText.Label(c.Name, 28))],
            Groups = [.. shown.Select(m => (m, (IReadOnlyList<(int, double, double, double)>)[.. cells.Select((c, i) =>
                (i, All: results.Accuracies(c.Name, m)))
                .Where(c => c.All.Count > 0).Select(c => (c.i, 100 * c.All.Average(), 100 * c.All.Min(), 100 * c.All.Max()))]))],
        };
        StudyPlots.Write(folder, "accuracy", plot);
        page.Picture("accuracy", "Accuracies of the table above as bars.");
    }

    private static void Differences(Markdown page, StudyResults results, StudyFolder folder)
    {
        var plan = results.Plan;
        var measures = results.Measures.Where(m => !m.EndsWith(StudyMeasure.WithMasks, StringComparison.Ordinal)).ToList();
        var pairs = plan.Pairs().Where(p => measures.Any(m => results.Difference(p.Cell, m, p.Against) is not null)).ToList();
        if (pairs.Count == 0) return;
        // One that a single cell has is compared with nothing.
        measures.RemoveAll(m => pairs.All(p => results.Difference(p.Cell, m, p.Against) is null));
        page.Heading(2, "Differences");
        string draws = PairedBootstrap.Draws.ToString("#,0", CultureInfo.InvariantCulture);
        page.Paragraph($"In points, with a 95% interval by a bootstrap over test images and seeds ({draws} draws, pairs of the same seed "
            + "and image). **Bold** where it leaves 0 out. Where many pairs are compared, some intervals leave 0 out by chance: one in twenty "
            + "of those without a difference. \"Masks\": the encoder sees masks, and so does what it is compared with, where it can. The number "
            + "of seeds stands beside a difference where it is not that of the plan; of one seed the interval is over images alone.");
        var rows = pairs.SelectMany(p => new[] { (Name: $"{p.Cell} − {p.Against}", p, Masks: ""),
                (Name: $"{p.Cell}, masks − {p.Against}", p, Masks: StudyMeasure.WithMasks) })
            .Select(r => (r.Name, Values: measures.Select(m => results.Difference(r.p.Cell, m + r.Masks, r.p.Against)).ToList()))
            .Where(r => r.Values.Any(v => v is not null)).ToList();
        page.Table(["pair", .. measures], rows.Select(r => (IReadOnlyList<string>)[r.Name, .. r.Values.Select(v => Difference(v, plan.Seeds.Count))]));
        StudyPlots.Write(folder, "differences", new IntervalsPlot
        {
            Title = "difference in points, 95% interval", Measures = measures,
            Rows = [.. rows.Select(r => (Report.Page.SafeText.Label(r.Name, MostLetters),
                (IReadOnlyList<(double, double, double)?>)[.. r.Values.Select(InPoints)]))],
        });
        page.Picture("differences", "Differences of the table above as dots with their intervals, coloured where they leave 0 out.");
        page.Table(["across measures", "difference"], plan.Compare.Where(c => c.Measure is not null)
            .Select(c => (Pair: c, Difference: results.Difference(c.Cell, c.Measure!, c.Against, c.By))).Where(c => c.Difference is not null)
            .Select(c => (IReadOnlyList<string>)
            [
                $"{c.Pair.Cell}, {c.Pair.Measure} − {c.Pair.Against}, {c.Pair.By ?? results.Alike(c.Pair.Measure!, c.Pair.Against)}",
                Difference(c.Difference, plan.Seeds.Count),
            ]));
    }

    private static void Search(Markdown page, StudyResults results)
    {
        if (results.Plan.Search is not { } search) return;
        page.Heading(2, "How the settings were found");
        string chosen = search.Chosen is { } name ? $" All cells of {search.Method} have \"{name}\"." : "";
        string seen = search.ImagesSeen.ToString("#,0", CultureInfo.InvariantCulture);
        page.Paragraph($"On the plain encoder alone, with seed {search.Seed} and {seen} images seen: each set of options was pretrained "
            + $"with and ranked by nearest neighbours, which name the classes of {Markdown.Percent(search.HeldOut)}% of the labelled images to "
            + $"learn from by the others. The test images had no part in it.{chosen}");
        page.Table(["set", "options", "k-NN, held out of the training images"], search.Sets
            .Select(set => (Set: set, Result: results.Search.FirstOrDefault(r => r.Set == set.Name)))
                .OrderByDescending(s => s.Result?.Accuracy ?? -1)
            .Select(s => (IReadOnlyList<string>)[s.Set.Name, Text(s.Set.Options),
                s.Result is { } r ? $"{Markdown.Percent(r.Accuracy)}% of {r.HeldOut}" : "–"]));
    }

    private static void Faults(Markdown page, StudyResults results)
    {
        var plan = results.Plan;
        var missing = plan.Cells.SelectMany(c =>
            plan.Seeds.Where(s => results.Features(c.Name, s) is null).Select(s => $"{c.Name}, seed {s}")).ToList();
        if (missing.Count > 0) page.Heading(2, "Not measured yet").List(missing);
        if (results.Failures.Count > 0) page.Heading(2, "Failures")
            .List(results.Failures.Select(f => $"{f.Job}: {f.Message.ReplaceLineEndings(" ")}"));
    }

    private static string Accuracy(StudyResults results, string cell, string measure)
    {
        var all = results.Accuracies(cell, measure);
        if (all.Count == 0) return "–";
        double mean = all.Average();
        string spread = all.Count > 1 ? $" ± {Markdown.Percent(Math.Sqrt(all.Sum(a => (a - mean) * (a - mean)) / (all.Count - 1)))}" : "";
        return Markdown.Percent(mean) + spread + (all.Count == results.Plan.Seeds.Count ? "" : $" ({all.Count})");
    }

    private static string Difference((double Mean, double Low, double High, int Seeds)? difference, int seeds)
    {
        if (difference is not { } d) return "–";
        string text = $"{Markdown.Points(d.Mean)} [{Markdown.Points(d.Low)}, {Markdown.Points(d.High)}]";
        return (d.Low > 0 || d.High < 0 ? $"**{text}**" : text) + (d.Seeds == seeds ? "" : $" ({d.Seeds})");
    }

    private static (double, double, double)? InPoints((double Mean, double Low, double High, int Seeds)? difference) =>
        difference is { } d ? (100 * d.Mean, 100 * d.Low, 100 * d.High) : null;

    private static string Text(IReadOnlyList<(string Name, string Text)> options) =>
        options.Count == 0 ? "–" : string.Join(", ", options.Select(o => $"{o.Name} {o.Text}"));
}
