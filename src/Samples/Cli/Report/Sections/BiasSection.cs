using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>The learned weights α and β of the mask-guided bias, per layer and head, over the checkpoints.</summary>
internal static class BiasSection
{
    private const string Title = "Weights of the bias, α and β";
    private const int MostCheckpoints = 20, MostColumns = 6, MostLines = 400, NarrowColumns = 5;

    /// <summary>Reads the encoders of checkpoints, and those that a run has left, and shows the weights of those that have some.</summary>
    public static ReportSection Of(RunFiles files, IProgress<string> progress)
    {
        var (parts, faults) = (new List<IPart>(), new List<IPart>());
        foreach (var (name, run) in files.Runs)
        {
            var read = new List<(string, IReadOnlyList<(float[]? Alpha, float[]? Beta)>, double)>();
            foreach (var checkpoint in Numbers.Some(run.Checkpoints, MostCheckpoints))
            {
                string place = $"{name}, step {Numbers.Text(checkpoint.Step)}";
                progress.Report($"α and β: {place}");
                if (Read(place, checkpoint.EncoderPath, faults) is { } weights) read.Add((place, weights, checkpoint.Step));
            }
            if (read.Count > 1) parts.AddRange(OverTime(name, [.. read.Select(r => (r.Item3, r.Item2))]));
            if (read.Count > 0) parts.Add(Table(read[^1].Item1, read[^1].Item2));
        }
        // Where no run has checkpoints of them, the encoders that it has left.
        if (parts.Count == 0)
        {
            foreach (var (name, path) in files.Encoders)
            {
                if (Read(name, path, faults) is { } weights) parts.Add(Table(name, weights));
            }
        }
        if (parts.Count > 0) return new(Title, [.. parts, .. faults]);
        return faults.Count > 0 ? new(Title, faults)
            : ReportSection.LeftOut(Title, "No encoder of the run has any: the attention is not guided by masks, or there is no checkpoint.");
    }

    // Null for an encoder without weights of the bias, or one that cannot be read, which is told.
    private static IReadOnlyList<(float[]? Alpha, float[]? Beta)>? Read(string name, string path, List<IPart> faults)
    {
        try
        {
            if (EncoderCheckpoint.Describe(path).Architecture.MaskBias is null) return null;
            using var encoder = EncoderCheckpoint.Load(path);
            var weights = encoder.Model.BiasValues();
            if (weights.All(layer => (layer.Alpha ?? []).Concat(layer.Beta ?? []).All(float.IsFinite))) return weights;
            faults.Add(new Paragraph($"{name}: the weights are not finite."));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            faults.Add(new Paragraph($"{name}: the encoder cannot be read: {e.Message}"));
        }
        return null;
    }

    private static IEnumerable<IPart> OverTime(
        string run, IReadOnlyList<(double Step, IReadOnlyList<(float[]? Alpha, float[]? Beta)> Weights)> checkpoints)
    {
        var letters = new (string, Func<(float[]? Alpha, float[]? Beta), float[]?>)[] { ("α", w => w.Alpha), ("β", w => w.Beta) };
        foreach (var (letter, pick) in letters)
        {
            var lines = new List<(int Layer, int Head, double[] Values)>();
            for (int layer = 0; layer < checkpoints[0].Weights.Count; layer++)
            {
                int heads = checkpoints.Min(c => layer < c.Weights.Count ? pick(c.Weights[layer])?.Length ?? 0 : 0);
                for (int head = 0; head < heads && lines.Count < MostLines; head++)
                    lines.Add((layer, head, [.. checkpoints.Select(c => (double)pick(c.Weights[layer])![head])]));
            }
            if (lines.Count == 0) continue;
            double[] steps = [.. checkpoints.Select(c => c.Step)];
            var plot = new LinesPlot
            {
                Title = $"{run}: {letter} of every head, coloured by layer", XName = "step",
                Lines = [.. lines.Select(line => new PlotLine(Layer(line.Layer), Ink.Series(line.Layer), steps, line.Values))],
            };
            string alt = $"{run}: {letter} per layer and head over {checkpoints.Count} checkpoints, at last from "
                + $"{Numbers.Text(lines.Min(line => line.Values[^1]))} to {Numbers.Text(lines.Max(line => line.Values[^1]))}.";
            int[] columns = [.. Numbers.Some([.. Enumerable.Range(0, steps.Length)], MostColumns)];
            var rows = lines.Select(line => (IReadOnlyList<string>)
                [$"{Layer(line.Layer)}, head {Numbers.Text(line.Head)}", .. columns.Select(c => Numbers.Text(line.Values[c]))]);
            yield return new PlotFigure($"bias-{run}-{(letter == "α" ? "alpha" : "beta")}", plot, alt,
                new($"{run}: {letter} by step", ["weight", .. columns.Select(c => Numbers.Text(steps[c]))], [.. rows]));
        }
    }

    private static string Layer(int layer) => $"layer {Numbers.Text(layer)}";

    private static PictureFigure Table(string name, IReadOnlyList<(float[]? Alpha, float[]? Beta)> weights)
    {
        float[] all = [.. weights.SelectMany(layer => (layer.Alpha ?? []).Concat(layer.Beta ?? []))];
        var rows = new List<IReadOnlyList<string>>();
        for (int layer = 0; layer < weights.Count; layer++)
        {
            rows.Add([Numbers.Text(layer), Text(weights[layer].Alpha), Text(weights[layer].Beta)]);
        }
        return new($"bias-{name}", MaskPictures.BiasPng(weights),
            $"{name}: weights of the bias per layer and head, from {Numbers.Text(all.Min())} to {Numbers.Text(all.Max())}.",
            $"{name}: α (patches of one mask attract) and β (patches of different masks repel), a row per layer and a column per head",
            new($"{name}: weights per head", ["layer", "α", "β"], rows))
        {
            IsLarge = weights.Max(layer => (layer.Alpha?.Length ?? 0) + (layer.Beta?.Length ?? 0)) > NarrowColumns,
        };

        static string Text(float[]? values) => values is null ? "–" : string.Join(", ", values.Select(v => Numbers.Text(v)));
    }
}
