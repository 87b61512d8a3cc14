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
        if (files.Encoders.Count == 0) yield return ReportSection.LeftOut("Encoders", "The run has left no encoder yet: there is no checkpoint.");
        else
        {
            yield return new("Encoders",
                [.. files.Encoders.Select(encoder => new Preformatted($"{encoder.Name}: {EncoderCheckpoint.Describe(encoder.Path).ToString().TrimEnd()}"))]);
        }
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
        var parts = new List<IPart> { new Cards(cards), new Pairs(run.Resolved.Append(new("seed", Numbers.Text(run.Seed))).Append(new("library", run.Library))) };
        parts.AddRange(run.Adjustments.Take(MostAdjustments).Select(adjustment => new Paragraph(adjustment)));
        return new($"{name}: configuration", parts);
    }
}
