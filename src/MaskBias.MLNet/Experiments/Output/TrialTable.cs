using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Experiments.Output;

/// <summary>Trials as a CSV file (RFC 4180).</summary>
internal static class TrialTable
{
    public static void Write(string path, IReadOnlyList<ExperimentTrial> ranked, IReadOnlyList<ExperimentTrial> all)
    {
        string[] metrics = [.. ranked.SelectMany(t => t.Metrics.Keys).Distinct()];
        var text = new StringBuilder();
        Line(text, ["Rank", "Trial", "Candidate", "Encoder", "Features", "State", .. metrics,
            "TrainingSeconds", "ScoringSeconds", "ModelBytes", "MillisecondsPerImage", "Parameters", "Seed", "Error"]);
        foreach (var (trial, i) in ranked.Concat(all.Except(ranked)).Select((t, i) => (t, i)))
        {
            Line(text, [i < ranked.Count ? i + 1 : null, trial.Number, trial.Candidate, trial.Encoder, trial.Features, trial.State,
                .. metrics.Select(m => trial.Metrics.TryGetValue(m, out double value) ? value : (object?)null),
                Math.Round(trial.TrainingTime.TotalSeconds, 3), Math.Round(trial.ScoringTime.TotalSeconds, 3), trial.ModelBytes,
                trial.MillisecondsPerImage is { } ms ? Math.Round(ms, 3) : null,
                string.Join("; ", trial.Parameters.Select(p => $"{p.Key}={p.Value}")), trial.Seed, trial.Error]);
        }
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static void Line(StringBuilder text, IEnumerable<object?> cells) =>
        text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    private static string Cell(object? value)
    {
        string text = value is Enum ? value.ToString()! : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
