using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Results;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>What trainings and masks cost.</summary>
internal static class CostPart
{
    public static void Write(Markdown page, StudyResults results)
    {
        if (results.Runs.Count == 0) return;
        page.Heading(2, "What it costs");
        var runs = results.Plan.Cells.Select(c =>
            (Cell: c, Runs: results.Plan.Seeds.Select(s => results.RunsOf(c.Name, s).FirstOrDefault()).OfType<RunResult>().ToList()))
            .Where(c => c.Runs.Count > 0).ToList();
        int processes = runs.Count == 0 ? 1 : runs.Max(r => r.Runs.Max(run => run.Processes));
        string shared = processes > 1 ? $" {processes} processes shared the device, so that each had a part of its speed." : "";
        page.Paragraph("The last training of each cell's encoder: means over seeds. What was interrupted counts from where it was taken "
            + "up again." + shared);
        page.Table(["cell", "training", "epochs", "steps", "batch", "images/s", "seconds", "loss at the end",
            "seconds to measure on features"], runs.Select(c => (IReadOnlyList<string>)
        [
            c.Cell.Name, c.Runs[0].Phase, $"{c.Runs[0].Epochs}", $"{c.Runs[0].Steps}", $"{c.Runs[0].BatchSize}",
            Markdown.Number(c.Runs.Average(r => r.ImagesPerSecond)),
            Markdown.Number(Math.Round(c.Runs.Average(r => r.Seconds), 1)),
            Markdown.Number(Math.Round(c.Runs.Average(r => r.Losses.DefaultIfEmpty(double.NaN).Last()), 3)),
            Markdown.Number(Math.Round(results.Plan.Seeds.Select(s => results.Features(c.Cell.Name, s)?.Seconds).OfType<double>().Average(),
                1)),
        ]));
        page.Table(["masks", "images", "masks per image", "images/s, all processors"], results.Masks.Select(m => (IReadOnlyList<string>)
            [m.Source, $"{m.Images}", Markdown.Number(Math.Round(m.PerImage, 1)),
                $"{Markdown.Number(Math.Round(m.Images / Math.Max(1e-9, m.Seconds), 1))} on {m.Processors}"]));
        var changed = results.Runs.Values.SelectMany(r => r.Adjustments).Distinct().Order(StringComparer.Ordinal).ToList();
        if (changed.Count > 0) page.Paragraph("Options that the short runs changed by themselves:").List(changed);
        var warnings = results.Runs.Values.SelectMany(r => r.Warnings.Select(w => $"{r.Cell}, seed {r.Seed}: {w}")).Distinct().Take(20)
            .ToList();
        if (warnings.Count > 0) page.Paragraph("Warnings of the trainings:").List(warnings);
    }
}
