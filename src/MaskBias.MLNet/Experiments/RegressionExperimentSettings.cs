using MaskBias.MLNet.Experiments.Candidates;

namespace MaskBias.MLNet.Experiments;

/// <summary>Settings of an experiment that looks for a regression of a number on images.</summary>
public sealed class RegressionExperimentSettings : ExperimentSettings
{
    /// <summary>All candidates of <see cref="RegressionCandidates"/>.</summary>
    public RegressionExperimentSettings() => Candidates = [.. RegressionCandidates.All()];

    /// <summary>What the best trial is best at.</summary>
    /// <value><see cref="RegressionMetric.RSquared"/>.</value>
    public RegressionMetric OptimizingMetric { get; set; } = RegressionMetric.RSquared;

    internal override IExperimentTask Task => new RegressionTask(OptimizingMetric);
}
