using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Study.Pages;

/// <summary>What the bias does: α and β over time, and where the encoders look.</summary>
internal static class BiasPart
{
    public static void Write(Markdown page, StudyResults results, StudyFolder folder)
    {
        var plan = results.Plan;
        int first = plan.Seeds[0];
        var guided = plan.Cells.Where(c => c.Masks is not null && !c.Distilled).ToList();
        var learned = guided.SelectMany(c =>
            plan.Seeds.SelectMany(s => results.RunsOf(c.Name, s)).Where(r => r.Bias.Count > 0).Select(r => (Cell: c, Run: r))).ToList();
        if (learned.Count > 0)
        {
            page.Heading(2, "What the bias learns");
            page.Paragraph("α is added to the logits of the attention between patches of one mask, β taken from those of different "
                + "masks; a value per layer and head, at the end of the run. "
                + "\"By layer\" are the means over heads and seeds, the first layer first.");
            page.Table(["cell", "weight", "lowest", "mean", "highest", "by layer"],
                guided.SelectMany(c => Rows(c, [.. learned.Where(l => l.Cell == c).Select(l => l.Run)])));
            foreach (var cell in guided)
            {
                var run = learned.FirstOrDefault(l => l.Cell == cell && l.Run.Seed == first).Run;
                if (run is null || run.Bias.Count < 2) continue;
                foreach (var (letter, name, pick) in Weights)
                {
                    if (Plot(cell, run, letter, pick) is not { } plot) continue;
                    StudyPlots.Write(folder, $"{name}-{cell.Slug}", plot);
                    page.Picture($"{name}-{cell.Slug}",
                        $"{cell.Name}: {letter} of every head over the steps of seed {first}, coloured by layer.");
                }
            }
        }
        Attention(page, results, folder);
    }

    private static readonly (string Letter, string Name, Func<BiasAtStep, float[]?[]> Pick)[] Weights = [("α", "alpha", b => b.Alpha),
        ("β", "beta", b => b.Beta)];

    private static IEnumerable<IReadOnlyList<string>> Rows(StudyCell cell, IReadOnlyList<RunResult> runs)
    {
        foreach (var (letter, _, pick) in Weights)
        {
            var last = runs.Select(r => pick(r.Bias[^1])).ToList();
            float[] all = [.. last.SelectMany(layers => layers.OfType<float[]>().SelectMany(l => l))];
            if (all.Length == 0) continue;
            var layers = Enumerable.Range(0, last[0].Length)
                .Select(l => last.Select(r => r[l]).OfType<float[]>().SelectMany(v => v).ToList());
            yield return
            [
                cell.Name, letter, Markdown.Number(all.Min()), Markdown.Number(all.Average()), Markdown.Number(all.Max()),
                string.Join(", ", layers.Select(l => l.Count == 0 ? "–" : Markdown.Number(Math.Round(l.Average(), 2)))),
            ];
        }
    }

    private static LinesPlot? Plot(StudyCell cell, RunResult run, string letter, Func<BiasAtStep, float[]?[]> pick)
    {
        double[] steps = [.. run.Bias.Select(b => (double)b.Step)];
        var lines = new List<PlotLine>();
        var last = pick(run.Bias[^1]);
        for (int layer = 0; layer < last.Length; layer++)
        {
            for (int head = 0; head < (last[layer]?.Length ?? 0); head++)
                lines.Add(new($"layer {layer + 1}", Ink.Series(layer), steps, [.. run.Bias.Select(b => (double)pick(b)[layer]![head])]));
        }
        return lines.Count == 0 ? null : new() { Title = $"{Report.Page.SafeText.Label(cell.Name, 40)}: {letter} of every head",
            XName = "step", Lines = lines };
    }

    private static void Attention(Markdown page, StudyResults results, StudyFolder folder)
    {
        var plan = results.Plan;
        var looked = plan.Cells.Select(c =>
            (Cell: c, All: plan.Seeds.Select(s => results.Features(c.Name, s)?.Attention).OfType<AttentionResult>().ToList()))
            .Where(l => l.All.Count > 0).ToList();
        if (looked.Count == 0) return;
        page.Heading(2, "Where the class token looks");
        page.Paragraph($"Share of its attention to the patches, in the last block, that falls on the object, in per cent: the mean over "
            + "heads, images and seeds, and in brackets head by head "
            + $"of seed {plan.Seeds[0]}. Objects cover {Markdown.Percent(looked[0].All.Average(a => a.Area))}% of the patches: attention "
            + "without a preference would have as much.");
        page.Table(["cell", "weights as drawn", "trained", "trained, seeing masks"], looked.Select(l => (IReadOnlyList<string>)
            [l.Cell.Name, Share(l.All, a => a.Untrained), Share(l.All, a => a.Trained),
                l.All[0].Guided is null ? "–" : Share(l.All, a => a.Guided!)]));
        foreach (var (cell, all) in looked.Where(l =>
            results.Features(l.Cell.Name, plan.Seeds[0]) is not null && File.Exists(folder.Picture("attention-" + l.Cell.Slug))))
        {
            string guided = all[0].Guided is null ? "" : ", and after training with masks";
            page.Picture("attention-" + cell.Slug,
                $"{cell.Name}: image, object, attention with the weights as they were drawn and after training{guided}; from dark blue (least) to yellow (most).");
        }
    }

    private static string Share(IReadOnlyList<AttentionResult> all, Func<AttentionResult, double[]> pick) =>
        $"{Markdown.Percent(all.Average(a => pick(a).Average()))} ({string.Join(", ", pick(all[0]).Select(h => Markdown.Percent(h)))})";
}
