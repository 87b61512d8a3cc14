using System.ComponentModel.DataAnnotations;
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

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in base.Validate(validationContext)) yield return fault;
        if (!Enum.IsDefined(OptimizingMetric))
            yield return new($"OptimizingMetric is {OptimizingMetric}; it must be MicroAccuracy, MacroAccuracy or LogLoss.");
    }
}
