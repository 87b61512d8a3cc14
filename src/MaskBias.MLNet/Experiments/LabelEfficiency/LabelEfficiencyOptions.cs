using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Experiments.Candidates;

namespace MaskBias.MLNet.Experiments.LabelEfficiency;

/// <summary>How the worth of pretraining is measured.</summary>
public sealed class LabelEfficiencyOptions : IValidatableObject
{
    /// <summary>Column with the images: a path (text), encoded bytes (vector of bytes) or an image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string ImageColumnName { get; set; } = "ImagePath";

    /// <summary>Column with the classes: text or a key. Rows whose class is missing are left out.</summary>
    /// <value>"Label".</value>
    [Required]
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>Shares of the labels that are learned from, at least one of each class.</summary>
    /// <value>[0.01, 0.05, 0.1, 0.25, 1].</value>
    [Required]
    public IReadOnlyList<double> Fractions { get; set; } = [0.01, 0.05, 0.1, 0.25, 1];

    /// <summary>Draws of each share, of which mean and deviation are given; all labels are drawn once.</summary>
    /// <value>3.</value>
    [Range(1, 100)]
    public int Repeats { get; set; } = 3;

    /// <summary>Share of the rows that is held out to measure; none of it is ever learned from.</summary>
    /// <value>0.2.</value>
    [Range(0.0, 0.9, MinimumIsExclusive = true)]
    public double ValidationFraction { get; set; } = 0.2;

    /// <summary>
    /// What learns, with its start values: a classifier on features, or fine-tuning, which compares with training from scratch.
    /// </summary>
    /// <value><see cref="ClassificationCandidates.LbfgsMaximumEntropy"/>.</value>
    [Required]
    public ExperimentCandidate Candidate { get; set; } = ClassificationCandidates.LbfgsMaximumEntropy();

    /// <summary>The features it learns from.</summary>
    /// <value><see cref="FeatureChoice.ClassTokenAndPatchMean"/>.</value>
    public FeatureChoice Features { get; set; } = FeatureChoice.ClassTokenAndPatchMean;

    /// <summary>Seed of the split, the draws and the random encoder; null for the MLContext's.</summary>
    /// <value>null.</value>
    public int? Seed { get; set; }

    /// <summary>Stops the measurement.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Fractions is { Count: 0 }) yield return new("Fractions is empty; it must hold at least one share.");
        if (Fractions?.Any(f => f is not (> 0 and <= 1)) == true)
            yield return new($"Fractions is [{string.Join(", ", Fractions)}]; each must lie in (0, 1].");
    }
}
