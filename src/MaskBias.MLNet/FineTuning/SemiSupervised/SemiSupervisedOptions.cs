using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>
/// Settings of Semi-ViT (Cai et al., NeurIPS 2022): fine-tuning on the labelled rows, and then on all rows, where a moving average of the
/// weights, the teacher, names the classes of those that have none. <see cref="Percent1"/> and <see cref="Percent10"/> are its recipes for
/// 1% and 10% of the labels.
/// </summary>
public sealed class SemiSupervisedOptions : IValidatableObject
{
    /// <summary>
    /// The supervised stage, which comes first; its columns, seed, device, validation, augmentation of labelled images, warm-up, layer
    /// decay and weight decay are the second stage's too.
    /// </summary>
    /// <value>
    /// <see cref="FineTuneOptions.FewShot"/>'s for 10%, on every label there is. With a <see cref="FineTuneOptions.LabelFraction"/> below 1
    /// or a <see cref="FineTuneOptions.LabelSubsetPath"/>, the classes of the other rows are hidden and these count as unlabelled.
    /// </value>
    [Required]
    public FineTuneOptions Supervised { get; set; } = AllLabels(FineTuneOptions.FewShot(0.1));

    /// <summary>Passes over the unlabelled images; the labelled ones come as often as they are needed.</summary>
    /// <value>100.</value>
    [Range(1, 1_000_000)]
    public int Epochs { get; set; } = 100;

    /// <summary>Labelled images per step; at most as many as there are.</summary>
    /// <value>64, beside which there are 320 unlabelled ones.</value>
    [Range(1, 1 << 20)]
    public int BatchSize { get; set; } = 64;

    /// <summary>Unlabelled images per labelled one. A step has an even number of them, because they are mixed in pairs.</summary>
    /// <value>5.</value>
    [Range(1, 100)]
    public int UnlabelledPerLabelled { get; set; } = 5;

    /// <summary>Base learning rate: the rate in force is this × <see cref="BatchSize"/> / 256. Null for the supervised stage's.</summary>
    /// <value>null.</value>
    [Range(0.0, 1000.0, MinimumIsExclusive = true)]
    public double? LearningRate { get; set; }

    /// <summary>Weight λ_u of the unlabelled images' loss.</summary>
    /// <value>5.</value>
    [Range(0.0, 1000.0)]
    public double UnlabelledWeight { get; set; } = 5;

    /// <summary>Probability from which on the teacher's class is learned from.</summary>
    /// <value>0.5 (10% of the labels); 0.6 for 1%.</value>
    [Range(0.0, 1.0)]
    public double ConfidenceThreshold { get; set; } = 0.5;

    /// <summary>Momentum of the moving average; in a run of few steps at most so much that it looks back over a tenth of them.</summary>
    /// <value>0.9999.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double TeacherMomentum { get; set; } = 0.9999;

    /// <summary>Whether unlabelled images are mixed in pairs, each weighing as much as the teacher is sure of it.</summary>
    /// <value>true.</value>
    public bool PseudoMixup { get; set; } = true;

    /// <summary>Chance of erasing a rectangle of an unlabelled image's strong view.</summary>
    /// <value>0.25.</value>
    [Range(0.0, 1.0)]
    public double RandomErasing { get; set; } = 0.25;

    /// <summary>
    /// What the run keeps on disk, so that an interrupted one can go on; the supervised stage's part is in the folder <c>supervised</c>, and
    /// its own <see cref="FineTuneOptions.Output"/> is not looked at. A folder holds one Fit: cross-validation needs none.
    /// </summary>
    /// <value>Nothing.</value>
    [Required]
    [FreeOnResume]
    public RunOutputOptions Output { get; set; } = new();

    /// <summary>For about 1% of the labels: <see cref="FineTuneOptions.FewShot"/>'s supervised stage for it, and threshold 0.6.</summary>
    public static SemiSupervisedOptions Percent1() =>
        new() { Supervised = AllLabels(FineTuneOptions.FewShot(0.01)), ConfidenceThreshold = 0.6 };

    /// <summary>For about 10% of the labels: <see cref="FineTuneOptions.FewShot"/>'s supervised stage for it, and threshold 0.5.</summary>
    public static SemiSupervisedOptions Percent10() => new();

    /// <summary>For a small encoder: <see cref="FineTuneOptions.SmallEncoder"/>, then 16 labelled images a step, without erasing.</summary>
    /// <param name="labelledImages">How many of the images have labels.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none.</exception>
    public static SemiSupervisedOptions SmallEncoder(int labelledImages) =>
        new() { Supervised = FineTuneOptions.SmallEncoder(labelledImages), BatchSize = 16, RandomErasing = 0 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Supervised is { Distributed: not Distributed.DistributedTraining.None })
            yield return new($"Supervised.Distributed is {Supervised.Distributed}; semi-supervised training runs in one process, so it must be None.");
        if (Supervised is { Output.Folder: { } folder })
            yield return new($"Supervised.Output.Folder is {folder}; both stages are kept in Output.Folder, so it must be null.");
    }

    internal SemiSupervisedOptions Copy()
    {
        var copy = (SemiSupervisedOptions)MemberwiseClone();
        (copy.Supervised, copy.Output) = (Supervised.Copy(), Output.Copy());
        return copy;
    }

    // The rows without a class are there already: none of those with one has to be hidden.
    private static FineTuneOptions AllLabels(FineTuneOptions options)
    {
        options.LabelFraction = 1;
        return options;
    }
}
