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
        return list.WithTrainings(list.Cells(cells));
    }

    /// <summary>The search's jobs.</summary>
    public static IReadOnlyList<StudyJob> OfSearch(StudyContext context)
    {
        var list = new JobList(context);
        return list.WithTrainings(list.Sets());
    }

    /// <summary>
    /// Writes which results the plan asks for, so that the page shows no others: options, images or masks may have been others when they
    /// were found. Failures of what it no longer asks for are deleted.
    /// </summary>
    public static void WriteAsked(StudyContext context)
    {
        var list = new JobList(context);
        var jobs = list.WithTrainings(list.Cells(context.Plan.Cells).Concat(list.Sets()));
        new AskedResult
        {
            Results = jobs.Select(job => job.Result).OfType<(string Path, string Key)>()
                .ToDictionary(result => context.Folder.NameOf(result.Path), result => result.Key),
            Runs = [.. list.trainings.Keys],
        }.Write(context.Folder.Asked);
        if (!Directory.Exists(context.Folder.Failures)) return;
        var known = jobs.Select(job => job.Id).ToHashSet();
        foreach (string failure in Directory.GetFiles(context.Folder.Failures, "*.json"))
            if (!known.Contains(Path.GetFileNameWithoutExtension(failure))) File.Delete(failure);
    }

    private IEnumerable<StudyJob> Cells(IEnumerable<StudyCell> cells) =>
        context.Plan.Seeds.SelectMany(seed => cells.SelectMany(cell => Cell(cell, seed)));

    private IEnumerable<StudyJob> Sets() =>
        context.Plan.Search is { } search ? search.Sets.Select(set => Set(search, set.Name)) : [];

    // The jobs, and the trainings that they have turned out to need.
    private IReadOnlyList<StudyJob> WithTrainings(IEnumerable<StudyJob> jobs)
    {
        var asked = jobs.ToList();
        return [.. asked.Concat(trainings.Values).Distinct()];
    }

    private IEnumerable<StudyJob> Cell(StudyCell cell, int seed)
    {
        var (plan, images) = (context.Plan, context.Images);
        var training = Training.Of(plan, images, cell, seed);
        StudyJob[] needs = training is null ? [] : [Job(training)];
        StudyMeasure[] onFeatures = [.. plan.Measures.Where(m => m.IsOnFeatures)];
        // A linear layer on fewer labels would profit from the others, which the encoder has learned from.
        if (cell.Method == StudyMethod.Supervised) onFeatures = [.. onFeatures.Select(m => m.WithAtLeast(cell.Fractions[0]))
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
        string key = measurer.Key(search, training);
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
        StudyCell cell, int seed, string group, string key, int priority, IReadOnlyList<StudyJob> needs, Action run)
    {
        string path = context.Folder.Measured(cell.Slug, seed, group);
        return new()
        {
            Id = FormattableString.Invariant($"{cell.Slug}-seed-{seed}-{group}"),
            Title = FormattableString.Invariant($"{group} of '{cell.Name}', seed {seed}"),
            Priority = priority, IsResult = true, Needs = needs, Result = (path, key), IsComplete = () => IsComplete(path, key), Run = run,
        };
    }

    // What was complete once stays so.
    private bool IsComplete(string path, string key)
    {
        if (complete.ContainsKey((path, key))) return true;
        if (StudyJson.Read<Keyed>(path)?.Key != key) return false;
        return complete[(path, key)] = true;
    }

    private sealed record Keyed(string Key);
}
