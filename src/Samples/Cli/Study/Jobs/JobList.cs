using System.Collections.Concurrent;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>All work that a plan asks for. A training that several cells share is there once.</summary>
internal sealed class JobList
{
    // What gives a result soon goes first, then trainings, then what may be left out.
    private const int Measuring = 0, TrainingPriority = 1, Classifying = 2;

    private readonly StudyContext context;
    private readonly Trainer trainer;
    private readonly Measurer measurer;
    private readonly Dictionary<string, StudyJob> trainings = [];
    private readonly ConcurrentDictionary<(string Path, string Key), bool> complete = [];

    private JobList(StudyContext context) => (this.context, trainer, measurer) = (context, new(context), new(context));

    /// <summary>The cells' jobs, seed by seed.</summary>
    public static IReadOnlyList<StudyJob> OfCells(StudyContext context, IEnumerable<StudyCell> cells)
    {
        var list = new JobList(context);
        var jobs = context.Plan.Seeds.SelectMany(seed => cells.SelectMany(cell => list.Cell(cell, seed))).ToList();
        return [.. jobs.Concat(list.trainings.Values).Distinct()];
    }

    /// <summary>The search's jobs.</summary>
    public static IReadOnlyList<StudyJob> OfSearch(StudyContext context)
    {
        var list = new JobList(context);
        var search = context.Plan.Search!;
        var jobs = search.Sets.Select(set => list.Set(search, set.Name)).ToList();
        return [.. jobs.Concat(list.trainings.Values).Distinct()];
    }

    /// <summary>
    /// Deletes results and failures of what the plan no longer asks for: its options, images or masks are others now, and the page would
    /// show both as one. Encoders stay: a plan that is as it was again has them.
    /// </summary>
    public static void Forget(StudyContext context)
    {
        if (!Directory.Exists(context.Folder.Results)) return;
        IEnumerable<StudyJob> searched = context.Plan.Search is null ? [] : OfSearch(context);
        StudyJob[] asked = [.. OfCells(context, context.Plan.Cells), .. searched];
        foreach (var (path, key) in asked.Select(job => job.Result).OfType<(string Path, string Key)>())
            if (StudyJson.Read<Keyed>(path) is { } old && old.Key != key) File.Delete(path);
        if (!Directory.Exists(context.Folder.Failures)) return;
        var known = asked.Select(job => job.Id).ToHashSet();
        foreach (string failure in Directory.GetFiles(context.Folder.Failures, "*.json"))
            if (!known.Contains(Path.GetFileNameWithoutExtension(failure))) File.Delete(failure);
    }

    private IEnumerable<StudyJob> Cell(StudyCell cell, int seed)
    {
        var (plan, images) = (context.Plan, context.Images);
        var training = Training.Of(plan, images, cell, seed);
        StudyJob[] needs = training is null ? [] : [Job(training)];
        StudyMeasure[] onFeatures = [.. plan.Measures.Where(m => m.IsOnFeatures)];
        // An encoder that has learned from labels has no business with fewer of them.
        if (cell.Method == StudyMethod.Supervised) onFeatures = [.. onFeatures.Select(m => m.WithLabels(cell.Fractions[0]))
            .Where(m => m.Fractions.Count > 0)];
        string key = measurer.Key(cell, seed, training, onFeatures);
        yield return Result(cell, seed, Measurer.FeatureGroup, key, Measuring, needs,
            () => measurer.Features(cell, seed, training, onFeatures));
        if (cell.Method == StudyMethod.Supervised)
        {
            foreach (double fraction in cell.Fractions) yield return Job(Training.FromLabels(plan, images, cell, seed, fraction));
            yield break;
        }
        foreach (var measure in plan.Measures.Where(m => !m.IsOnFeatures))
        {
            foreach (double fraction in measure.Fractions)
            {
                string name = StudyMeasure.Name(measure.Kind, fraction),
                    own = measurer.Key(cell, seed, training, [measure with { Fractions = [fraction] }]);
                yield return Result(cell, seed, SafeText.Slug(name), own, Classifying, needs,
                    () => measurer.Classifier(cell, seed, training, measure, fraction));
            }
        }
    }

    private StudyJob Set(StudySearch search, string set)
    {
        var cell = PlanOptions.SearchCell(search, set);
        var training = Training.Pretraining(context.Plan with { ImagesSeen = search.ImagesSeen }, context.Images, cell, search.Seed);
        string key = StudyFolder.Key([training.Key, FormattableString.Invariant($"{search.HeldOut}"),
            measurer.Key(cell, search.Seed, training, [context.Plan.Neighbors])]);
        string path = context.Folder.Searched(SafeText.Slug(set));
        return new()
        {
            Id = $"search-{SafeText.Slug(set)}", Title = $"search: {set}, nearest neighbours", Priority = Measuring, IsResult = true,
            Needs = [Job(training)], Result = (path, key),
            IsComplete = () => IsComplete(path, key), Run = () => measurer.Search(search, set, training, key),
        };
    }

    private StudyJob Job(Training training)
    {
        if (trainings.TryGetValue(training.Key, out var known)) return known;
        string labels = training.Kind == TrainingKind.FromLabels
            ? FormattableString.Invariant($", {100 * training.Fraction:0.##}% of the labels") : "";
        string path = context.Folder.Measured(training.Cell.Slug, training.Seed,
            SafeText.Slug(StudyMeasure.Name(StudyMeasureKind.FineTune, training.Fraction)));
        return trainings[training.Key] = new()
        {
            Id = "train-" + training.Key, Priority = TrainingPriority, IsResult = training.Kind == TrainingKind.FromLabels,
            Title = FormattableString.Invariant($"{training.Kind} for '{training.Cell.Name}', seed {training.Seed}{labels}"),
            Needs = training.Teacher is { } teacher ? [Job(teacher)] : [],
            Result = training.Kind == TrainingKind.FromLabels ? (path, training.Key) : null,
            IsComplete = () => Trainer.IsDone(context.Folder, training)
                && (training.Kind != TrainingKind.FromLabels || IsComplete(path, training.Key)),
            Run = () => trainer.Run(training),
        };
    }

    private StudyJob Result(
        StudyCell cell, int seed, string group, string key, int priority, IReadOnlyList<StudyJob> needs, Action run) => new()
    {
        Id = FormattableString.Invariant($"{cell.Slug}-seed-{seed}-{group}"),
        Title = FormattableString.Invariant($"{group} of '{cell.Name}', seed {seed}"),
        Priority = priority, IsResult = true, Needs = needs, Result = (context.Folder.Measured(cell.Slug, seed, group), key),
        IsComplete = () => IsComplete(context.Folder.Measured(cell.Slug, seed, group), key), Run = run,
    };

    // What was complete once stays so.
    private bool IsComplete(string path, string key)
    {
        if (complete.ContainsKey((path, key))) return true;
        if (StudyJson.Read<Keyed>(path)?.Key != key) return false;
        return complete[(path, key)] = true;
    }

    private sealed record Keyed(string Key);
}
