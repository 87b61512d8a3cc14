using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Common.Photos;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>A training that cells share: what determines it, and by that its key.</summary>
internal sealed record Training
{
    private const int Version = 1;                      // another number trains everything anew

    /// <summary>Pretraining, distillation or training from scratch.</summary>
    public required TrainingKind Kind { get; init; }

    /// <summary>The first cell that asks for it.</summary>
    public required StudyCell Cell { get; init; }

    public required int Seed { get; init; }

    /// <summary>The options of the library, columns and folders aside.</summary>
    public required object Options { get; init; }

    /// <summary>The images that are learned from.</summary>
    public required IReadOnlyList<Photo> Images { get; init; }

    /// <summary>What a distillation learns from.</summary>
    public Training? Teacher { get; init; }

    /// <summary>Share of the labels.</summary>
    public double Fraction { get; init; } = 1;

    /// <summary>Stands for all that bears on the result.</summary>
    public required string Key { get; init; }

    /// <summary>The training of a cell's encoder; null for a random one.</summary>
    public static Training? Of(StudyPlan plan, StudyImages images, StudyCell cell, int seed)
    {
        if (cell.IsRandom) return null;
        if (cell.Method == StudyMethod.Supervised) return FromLabels(plan, images, cell, seed, cell.Fractions[0]);
        var pretraining = Pretraining(plan, images, cell, seed);
        if (!cell.Distilled) return pretraining;
        var options = PlanOptions.Distillation(plan, cell, seed, pretraining.Images.Count);
        return New(plan, images, TrainingKind.Distillation, cell, seed, options, pretraining.Images, pretraining);
    }

    /// <summary>A pretraining.</summary>
    public static Training Pretraining(StudyPlan plan, StudyImages images, StudyCell cell, int seed)
    {
        var rows = images.Pretraining(cell);
        object options = cell.Method == StudyMethod.Mae ? PlanOptions.Mae(plan, cell, seed, rows.Count)
            : PlanOptions.Dino(plan, cell, seed, rows.Count);
        return New(plan, images, TrainingKind.Pretraining, cell, seed, options, rows);
    }

    /// <summary>Training from scratch on a share of the labels, which sees as many images as any other.</summary>
    public static Training FromLabels(StudyPlan plan, StudyImages images, StudyCell cell, int seed, double fraction)
    {
        int labelled = StudyLabels.Few(images.ClassesOf(images.Train), fraction, seed).Length;
        return New(plan, images, TrainingKind.FromLabels, cell, seed, PlanOptions.Supervised(plan, cell, seed, labelled), images.Train,
            fraction: fraction);
    }

    private static Training New(
        StudyPlan plan, StudyImages images, TrainingKind kind, StudyCell cell, int seed, object options, IReadOnlyList<Photo> rows,
            Training? teacher = null, double fraction = 1)
    {
        // Options of a training from labels say nothing of the encoder; and it leaves a result of its cell and of the test images.
        IEnumerable<string> labels = kind != TrainingKind.FromLabels ? [] : [.. PlanOptions.Values(PlanOptions.Encoder(plan))
            .Select(o => $"encoder {o.Name}={o.Value}"), $"of {images.LabelledKey}", $"cell {cell.Name}"];
        string masks = cell.Masks is { } source ? $"{images.MaskFolders.Key(source)}{(cell.Shuffled ? " shuffled" : "")}" : "none";
        string key = StudyFolder.Key(
        [
            FormattableString.Invariant($"training {Version} {kind} {cell.Method} seed {seed} masks {masks} labels {fraction}"),
            FormattableString.Invariant($"epochs {Epochs(options)}"),
            $"teacher {teacher?.Key}", images.Key(rows), .. PlanOptions.Values(options).Select(o => $"{o.Name}={o.Value}"), .. labels,
        ]);
        return new() { Kind = kind, Cell = cell, Seed = seed, Options = options, Images = rows, Teacher = teacher, Fraction = fraction,
            Key = key };
    }

    private static int Epochs(object options) =>
        options is MLNet.Training.PretrainingOptions pretraining ? pretraining.Epochs : ((MLNet.Training.SupervisedOptions)options).Epochs;
}
