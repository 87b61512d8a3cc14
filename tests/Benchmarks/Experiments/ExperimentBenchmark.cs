using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Trees;
using MaskBias.MLNet.Catalog;
using Microsoft.ML;

namespace MaskBias.MLNet.Benchmarks.Experiments;

/// <summary>
/// An experiment of three minutes on photographs, and a longer one that gives every candidate an equal share of its time, to see how far
/// the short one's best is from it.
/// </summary>
internal static class ExperimentBenchmark
{
    private const int Megabytes = 1536;
    private const string Folder = "artifacts/experiment";

    /// <summary>The short one: MASKBIAS_MINUTES or 3.</summary>
    public static void Run(TextWriter output)
    {
        var ml = new MLContext(seed: 1);
        if (GroceryPhotos.Load(ml, "train", output) is not { } photos) return;
        using var encoder = GroceryPhotos.Encoder(ml, photos, output);
        using var result = ml.SelfSupervised().CreateClassificationExperiment(Settings(Minutes(3), output)).Execute(photos, encoder);
        result.WriteCsv(Path.Combine(Folder, "runs.csv"));
        result.WriteLeaderboard(Path.Combine(Folder, "leaderboard.svg"));

        double trainers = result.Runs.Sum(r => r.TrainingTime.TotalSeconds), scoring = result.Runs.Sum(r => r.ScoringTime.TotalSeconds);
        double rest = (result.Elapsed - result.EmbeddingTime).TotalSeconds;
        using var process = Process.GetCurrentProcess();
        output.WriteLine(Text($"  {result.Runs.Count} trials ({result.Runs.Count(r => r.State == TrialState.Failed)} failed) in {result.Elapsed.TotalSeconds:0} s, stopped by {result.StoppedBecause}; best {result.BestRun.Trial}"));
        output.WriteLine(Text($"  features of {result.Rows} images once, in {result.EmbeddingTime.TotalSeconds:0.0} s; of the other {rest:0.0} s, {trainers / rest:0.0%} in Fit and {scoring / rest:0.0%} in scoring and measuring"));
        output.WriteLine(Text($"  peak memory {result.PeakMemoryBytes >> 20} MB as watched, {process.PeakWorkingSet64 >> 20} MB by the system; the limit was {Megabytes} MB"));
        foreach (var group in result.Leaderboard.GroupBy(r => r.Candidate))
        {
            output.WriteLine(Text($"    {group.Key,-20} best {group.Max(r => r.Metric):0.0000}, {group.Count()} trials, start took {group.MinBy(r => r.Number)!.TrainingTime.TotalSeconds:0.00} s"));
        }
        Test(ml, result, output);
    }

    /// <summary>The long one: MASKBIAS_MINUTES or 60, in equal shares for each candidate; MASKBIAS_CANDIDATES names some of them, by commas.</summary>
    public static void RunExhaustive(TextWriter output)
    {
        var ml = new MLContext(seed: 1);
        if (GroceryPhotos.Load(ml, "train", output) is not { } photos) return;
        using var encoder = GroceryPhotos.Encoder(ml, photos, output);
        double minutes = Minutes(60);
        string[] names = Environment.GetEnvironmentVariable("MASKBIAS_CANDIDATES") is { Length: > 0 } chosen
            ? chosen.Split(',')
            : [.. Settings(1, output).Candidates.Select(c => c.Name)];
        double best = 0;
        foreach (string name in names)
        {
            var settings = Settings(minutes / names.Length, output);
            (settings.AllowedCandidates, settings.MaxMemoryMegabytes) = ([name], null);
            try
            {
                using var result = ml.SelfSupervised().CreateClassificationExperiment(settings).Execute(photos, encoder);
                best = Math.Max(best, result.BestRun.Trial.Metric!.Value);
                output.WriteLine(Text($"  {name}: {result.Runs.Count} trials, best {result.BestRun.Trial}"));
                Test(ml, result, output);
            }
            catch (InvalidOperationException e)
            {
                output.WriteLine($"  {name}: {e.Message}");
            }
        }
        output.WriteLine(Text($"  best of all in {minutes:0} minutes: {best:0.0000}"));
    }

    /// <summary>Accuracy against the number of labels.</summary>
    public static void RunLabels(TextWriter output)
    {
        var ml = new MLContext(seed: 1);
        if (GroceryPhotos.Load(ml, "train", output) is not { } photos) return;
        using var encoder = GroceryPhotos.Encoder(ml, photos, output);
        var report = ml.SelfSupervised().MeasureLabelEfficiency(photos, encoder, new() { Seed = 1 });
        report.WriteCsv(Path.Combine(Folder, "labels.csv"));
        report.WritePlot(Path.Combine(Folder, "labels.svg"));
        output.WriteLine("  " + report.ToString().Replace("\n", "\n  ", StringComparison.Ordinal));
    }

    private static ClassificationExperimentSettings Settings(double minutes, TextWriter output) => new ClassificationExperimentSettings
    {
        MaxTime = TimeSpan.FromMinutes(minutes), MaxMemoryMegabytes = Megabytes, Seed = 1, Progress = new Lines(output),
    }.AddTrees();

    // On photographs that neither the search nor its validation has seen.
    private static void Test(MLContext ml, ExperimentResult result, TextWriter output)
    {
        if (GroceryPhotos.Load(ml, "test", output) is not { } photos) return;
        var scored = ml.Data.Cache(result.BestRun.Model.Transform(photos), "Label", "PredictedLabel");
        var pairs = ml.Data.CreateEnumerable<Pair>(scored, reuseRowObject: false, ignoreMissingColumns: true).ToList();
        output.WriteLine(Text($"    on {pairs.Count} test photographs its accuracy is {pairs.Average(p => p.Label == p.PredictedLabel ? 1.0 : 0):0.0000}"));
    }

    private static double Minutes(double otherwise) =>
        double.TryParse(Environment.GetEnvironmentVariable("MASKBIAS_MINUTES"), CultureInfo.InvariantCulture, out double minutes) ? minutes : otherwise;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed class Lines(TextWriter output) : IProgress<ExperimentTrial>
    {
        public void Report(ExperimentTrial value) => output.WriteLine($"    {value}");
    }

    private sealed class Pair
    {
        public string Label { get; set; } = "";

        public string PredictedLabel { get; set; } = "";
    }
}
