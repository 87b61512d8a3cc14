using MaskBias.MLNet.Experiments.Candidates;

namespace MaskBias.MLNet.Experiments;

/// <summary>Settings of an experiment that looks for a classifier of images.</summary>
public sealed class ClassificationExperimentSettings : ExperimentSettings
{
    /// <summary>All candidates of <see cref="ClassificationCandidates"/>.</summary>
    public ClassificationExperimentSettings() => Candidates = [.. ClassificationCandidates.All()];

    /// <summary>What the best trial is best at.</summary>
    /// <value><see cref="ClassificationMetric.MicroAccuracy"/>.</value>
    public ClassificationMetric OptimizingMetric { get; set; } = ClassificationMetric.MicroAccuracy;

    internal override IExperimentTask Task => new ClassificationTask(OptimizingMetric);
}
