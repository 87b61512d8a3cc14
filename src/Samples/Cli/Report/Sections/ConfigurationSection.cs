using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>What was trained, and with what.</summary>
internal static class ConfigurationSection
{
    private const int MostAdjustments = 50;

    public static IEnumerable<ReportSection> Of(RunFiles files, IReadOnlyList<RunCurves> curves)
    {
        for (int i = 0; i < files.Runs.Count; i++) yield return OfRun(files.Runs[i].Name, files.Runs[i].Record, curves[i]);
        yield return files.Encoders.Count == 0
            ? ReportSection.LeftOut("Encoders", "The run has left no encoder yet: there is no checkpoint.")
            : new("Encoders", [.. files.Encoders.Select(e => new Preformatted($"{e.Name}: {EncoderCheckpoint.Describe(e.Path)}".TrimEnd()))]);
    }

    /// <summary>Every option of the runs: long, and therefore last.</summary>
    public static IEnumerable<ReportSection> Options(RunFiles files) => files.Runs.Select(run =>
        new ReportSection($"{run.Name}: options", [new Pairs(run.Record.Options.OrderBy(option => option.Key, StringComparer.Ordinal))]));

    private static ReportSection OfRun(string name, RunRecord run, RunCurves curves)
    {
        string steps = run.Resolved.GetValueOrDefault("steps", "?"), epochs = run.Resolved.GetValueOrDefault("epochs", "?");
        var cards = new List<(string, string)>
        {
            ("steps", $"{Numbers.Text(curves.LastStep)} of {steps}"), ("epochs", $"{Numbers.Text(curves.LastEpoch)} of {epochs}"),
            ("images", run.Resolved.GetValueOrDefault("images", "?")),
        };
        foreach (var (metric, label) in new[] { ("loss", "last loss"), ("k-NN accuracy", "last k-NN accuracy") })
        {
            if (curves.Curves.TryGetValue(metric, out var curve) && curve.Count > 0) cards.Add((label, Numbers.Text(curve.Last)));
        }
        return new($"{name}: configuration",
        [
            new Cards(cards), new Pairs([.. run.Resolved, new("seed", Numbers.Text(run.Seed)), new("library", run.Library)]),
            .. run.Adjustments.Take(MostAdjustments).Select(adjustment => new Paragraph(adjustment)),
        ]);
    }
}
