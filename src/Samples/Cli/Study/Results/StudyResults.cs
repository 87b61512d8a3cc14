using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;

namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>All results of a study that there are, read from its folder.</summary>
internal sealed class StudyResults
{
    private readonly Dictionary<(string Cell, int Seed), Dictionary<string, int[]>> predictions = [];
    private readonly Dictionary<(string Cell, int Seed), MeasureResult> features = [];
    private readonly Dictionary<(string, string, string), (double, double, double, int)?> differences = [];

    private StudyResults(StudyPlan plan, StudyFolder folder)
    {
        Plan = plan;
        Images = StudyJson.Read<ImagesResult>(folder.Images);
        var asked = StudyJson.Read<AskedResult>(folder.Asked);
        Runs = StudyJson.ReadAll<RunResult>(Path.Combine(folder.Results, "runs")).Where(r => asked?.Runs.Contains(r.Key) != false)
            .ToDictionary(r => r.Key);
        Masks = [.. StudyJson.ReadAll<MaskResult>(Path.Combine(folder.Results, "masks"))];
        Failures = [.. StudyJson.ReadAll<FailureResult>(folder.Failures)];
        Search = [.. (plan.Search?.Sets ?? []).Select(set => Read<SearchResult>(folder.Searched(SafeText.Slug(set.Name)), r => r.Key))
            .OfType<SearchResult>().OrderByDescending(s => s.Accuracy)];
        foreach (var cell in plan.Cells)
        {
            foreach (int seed in plan.Seeds)
            {
                var all = predictions[(cell.Name, seed)] = [];
                foreach (string group in Groups(cell))
                {
                    if (Read<MeasureResult>(folder.Measured(cell.Slug, seed, group), r => r.Key) is not { } found) continue;
                    foreach (var (measure, classes) in found.Predictions) all[measure] = classes;
                    if (group == Measurer.FeatureGroup) features[(cell.Name, seed)] = found;
                }
            }
        }

        // A result, unless it is an earlier plan's.
        T? Read<T>(string path, Func<T, string> key) where T : class => StudyJson.Read<T>(path) is { } result
            && (asked is null || asked.Results.GetValueOrDefault(folder.NameOf(path)) == key(result)) ? result : null;
    }

    public StudyPlan Plan { get; }

    /// <summary>What was measured on; null where nothing was yet.</summary>
    public ImagesResult? Images { get; }

    public IReadOnlyDictionary<string, RunResult> Runs { get; }

    public IReadOnlyList<MaskResult> Masks { get; }

    public IReadOnlyList<FailureResult> Failures { get; }

    /// <summary>The sets of the search, the best first.</summary>
    public IReadOnlyList<SearchResult> Search { get; }

    /// <summary>Names of the measures that there is a result of, in the plan's order; those with masks after those without.</summary>
    public IReadOnlyList<string> Measures
    {
        get
        {
            var there = predictions.Values.SelectMany(p => p.Keys).ToHashSet();
            return [.. Plan.MeasureNames.Where(there.Contains)];
        }
    }

    /// <summary>Reads them.</summary>
    public static StudyResults Read(StudyPlan plan, StudyFolder folder) => new(plan, folder);

    /// <summary>What was measured of a cell on features, or null.</summary>
    public MeasureResult? Features(string cell, int seed) => features.GetValueOrDefault((cell, seed));

    /// <summary>Share of the test images whose class is right; null where it was not measured.</summary>
    public double? Accuracy(string cell, int seed, string measure) => Right(cell, seed, measure)?.Average();

    /// <summary>The accuracies of all seeds that there are.</summary>
    public IReadOnlyList<double> Accuracies(string cell, string measure) =>
        [.. Plan.Seeds.Select(seed => Accuracy(cell, seed, measure)).OfType<double>()];

    /// <summary>The measure of a cell that another's is compared with: the same, but without masks where it takes none.</summary>
    public string Alike(string measure, string against) =>
        measure.EndsWith(StudyMeasure.WithMasks, StringComparison.Ordinal) && Accuracies(against, measure).Count == 0
            ? measure[..^StudyMeasure.WithMasks.Length] : measure;

    /// <summary>How much more one cell is right than another, over the seeds that both have; null where there are none.</summary>
    /// <param name="cell">The one.</param>
    /// <param name="measure">How it is measured.</param>
    /// <param name="against">The other.</param>
    /// <param name="by">How that is measured; null for <see cref="Alike"/>.</param>
    public (double Mean, double Low, double High, int Seeds)? Difference(string cell, string measure, string against, string? by = null)
    {
        by ??= Alike(measure, against);
        if (differences.TryGetValue((cell, measure, against + by), out var known)) return known;
        var pairs = Plan.Seeds.Select(seed => (One: Right(cell, seed, measure), Other: Right(against, seed, by)))
            .Where(p => p.One is not null && p.Other is not null && p.One.Length == p.Other.Length)
            .Select(p => p.One!.Zip(p.Other!, (a, b) => a - b).ToArray()).ToList();
        if (pairs.Count == 0) return differences[(cell, measure, against + by)] = null;
        var (mean, low, high) = PairedBootstrap.Interval(pairs);
        return differences[(cell, measure, against + by)] = (mean, low, high, pairs.Count);
    }

    /// <summary>The trainings that led to a cell's encoder, the last first.</summary>
    public IReadOnlyList<RunResult> RunsOf(string cell, int seed)
    {
        var runs = new List<RunResult>();
        for (string? key = Features(cell, seed)?.Run; key is not null && Runs.TryGetValue(key, out var run); key = run.Teacher)
            runs.Add(run);
        return runs;
    }

    private double[]? Right(string cell, int seed, string measure) =>
        Images is not null && predictions.GetValueOrDefault((cell, seed))?.GetValueOrDefault(measure) is { } classes
            && classes.Length == Images.Labels.Length
            ? [.. classes.Zip(Images.Labels, (c, label) => c == label ? 1.0 : 0)] : null;

    private IEnumerable<string> Groups(StudyCell cell) =>
    [
        Measurer.FeatureGroup,
        .. (cell.Method == StudyMethod.Supervised ? cell.Fractions.Select(f => StudyMeasure.Name(StudyMeasureKind.FineTune, f))
            : Plan.Measures.Where(m => !m.IsOnFeatures).SelectMany(m => m.Fractions.Select(f => StudyMeasure.Name(m.Kind, f))))
                .Select(SafeText.Slug),
    ];
}
