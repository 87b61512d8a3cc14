using System.Globalization;

namespace MaskBias.MLNet.Experiments.Output;

/// <summary>The best trials as bars: what each is, its metric, and what it costs.</summary>
internal static class LeaderboardPicture
{
    private const int Width = 1136, Row = 26, Top = 84, Bottom = 40, Left = 436, Bars = 360, Longest = 54;
    private const string Best = "#2166ac", Others = "#92c5de", Ink = "#1e1e1e", Faint = "#6a6a6a";

    public static void Write(
        string path, IReadOnlyList<ExperimentTrial> ranked, IReadOnlyList<ExperimentTrial> all, string metric, bool higherIsBetter)
    {
        int failed = all.Count(t => t.State == TrialState.Failed), height = Top + Row * ranked.Count + Bottom;
        using var picture = new SvgPicture(Width, height, $"Leaderboard: {metric}");
        string direction = higherIsBetter ? "higher is better" : "lower is better";
        string counts = $"the best {ranked.Count} of {all.Count} trials{(failed > 0 ? $", {failed} failed" : "")}";
        picture.Text($"{metric} ({direction}): {counts}", 16, 32, bold: true);
        double largest = ranked.Max(t => Math.Max(0, t.Metric!.Value)), right = Left + Bars;
        (string Name, double X)[] columns = [("training", right + 180), ("per image", right + 260), ("size", right + 325)];
        picture.Text("candidate", 16, Top - 14, fill: Faint);
        foreach (var (name, x) in columns) picture.Text(name, x, Top - 14, "end", Faint);
        picture.Line(Left, Top - 6, Left, Top + Row * ranked.Count, "#b0b0b0");
        for (int i = 0; i < ranked.Count; i++)
        {
            var trial = ranked[i];
            double top = Top + i * Row, text = top + Row * 0.66, share = largest > 0 ? Math.Max(0, trial.Metric!.Value) / largest : 0;
            picture.Text($"{i + 1}", 34, text, "end", Faint);
            picture.Text(Short(trial), 44, text);
            picture.Rectangle(Left, top + 4, Math.Max(1, Bars * share), Row - 8, i == 0 ? Best : Others);
            picture.Text(Format($"{trial.Metric:0.0000}"), Left + Math.Max(1, Bars * share) + 6, text, fill: Ink, bold: i == 0);
            picture.Text(Format($"{trial.TrainingTime.TotalSeconds:0.0} s"), columns[0].X, text, "end");
            picture.Text(Format($"{trial.MillisecondsPerImage:0.0} ms"), columns[1].X, text, "end");
            picture.Text(trial.ModelBytes is { } bytes ? Format($"{bytes / 1e6:0.0} MB") : "–", columns[2].X, text, "end");
        }
        picture.Save(path);
    }

    private static string Short(ExperimentTrial trial)
    {
        string features = trial.Features is { } choice ? $", {choice}" : "", text = $"{trial.Candidate} (trial {trial.Number}{features})";
        return text.Length > Longest ? text[..(Longest - 1)] + "…" : text;
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
