using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>How the training of a classifier went, and what its options came to.</summary>
public sealed record ClassifierReport
{
    /// <summary>The run itself: steps, batch, learning rate in force, what was adjusted, and how long it took.</summary>
    public required TrainingReport Run { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>
    /// Labelled rows that it was judged by: held out of training or, by the cross-validation of a linear probe, each out of one of several.
    /// </summary>
    public required int ValidationRows { get; init; }

    /// <summary>Steps over which the learning rate rose.</summary>
    public required long WarmupSteps { get; init; }

    /// <summary>Base learning rate of the classifier that was kept: the rate in force was this × batch / 256.</summary>
    public required double BaseLearningRate { get; init; }

    /// <summary>Weight decay of the classifier that was kept.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>
    /// Every epoch that was trained. Of a linear probe that chose by cross-validation the training losses are those of the last training, on all
    /// rows, and the validation's those of the same settings on rows held out of others.
    /// </summary>
    public required IReadOnlyList<EpochMetrics> Epochs { get; init; }

    /// <summary>
    /// The epoch that was kept, counted from 1: the best by validation, or the last, as always of a linear probe. 0 where no epoch of
    /// semi-supervised training was better than its supervised stage, which then was kept.
    /// </summary>
    public required int BestEpoch { get; init; }

    /// <summary>Rows without a class that were learned from as well, in semi-supervised training.</summary>
    public int UnlabelledRows { get; init; }

    /// <summary>How the supervised stage of semi-supervised training went, before all rows were learned from; null for other trainings.</summary>
    public ClassifierReport? SupervisedStage { get; init; }

    /// <summary>What the run came to, in one line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Run.Phase}: {Run.Images} images of {Classes} classes, judged by {ValidationRows} held out; batch {Run.BatchSize}, "
        + $"{Run.Losses.Count} steps, {WarmupSteps} of warm-up; learning rate {Run.LearningRate:g4}, weight decay {WeightDecay:g4}; "
        + $"epoch {BestEpoch} kept; {Run.Device}.");

    /// <summary>What the options come to, in one line, before the run.</summary>
    internal static string Recipe(
        string phase, int images, int classes, int validation, TrainingPlan plan, long warmup, IEnumerable<double> rates, IEnumerable<double> decays,
        string device) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{phase}: {images} images of {classes} classes, judged by {validation} held out; batch {plan.BatchSize}, {plan.StepsPerEpoch} steps "
            + $"per epoch, {plan.Steps} in all, {warmup} of warm-up; learning rate {List(rates.Select(r => r * plan.BatchSize / 256), "g4")} "
            + $"(base × {plan.BatchSize} / 256); weight decay {List(decays, "g3")}; {device}.");

    private static string List(IEnumerable<double> values, string format) =>
        string.Join(", ", values.Distinct().Select(value => value.ToString(format, CultureInfo.InvariantCulture)));
}
