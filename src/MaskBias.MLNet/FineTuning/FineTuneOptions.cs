using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.FineTuning;

/// <summary>
/// Settings of fine-tuning: the whole encoder learns from labels. <see cref="Dino"/> and <see cref="Mae"/> are the paper's (supplement,
/// Tables 5 and 6), <see cref="FewShot"/> is Semi-ViT's for 1% and 10% of the labels.
/// </summary>
public sealed class FineTuneOptions : SupervisedOptions
{
    /// <summary>What Tables 5 and 6 share: 100 epochs, 5 of warm-up, weight decay 0.05.</summary>
    public FineTuneOptions() => (WarmupEpochs, WeightDecay, MinLearningRate) = (5, 0.05, 1e-6);

    /// <summary>Base learning rate of the head: the rate in force is this × batch / 256.</summary>
    /// <value>1e-4 (Table 5).</value>
    [Range(0.0, 1000.0, MinimumIsExclusive = true)]
    public double LearningRate { get; set; } = 1e-4;

    /// <summary>Factor by which each layer learns more slowly than the one above it; 1 for none.</summary>
    /// <value>0.65 (Table 5).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LayerDecay { get; set; } = 0.65;

    /// <summary>AdamW's β₁.</summary>
    /// <value>0.9.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; set; } = 0.9;

    /// <summary>AdamW's β₂.</summary>
    /// <value>0.999 (Table 5).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; set; } = 0.999;

    /// <summary>Stochastic depth of the last block.</summary>
    /// <value>0.1.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double DropPath { get; set; } = 0.1;

    /// <summary>Label smoothing s.</summary>
    /// <value>0.1.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; set; } = 0.1;

    /// <summary>α of mixup; 0 for none.</summary>
    /// <value>0.8.</value>
    [Range(0.0, 4.0)]
    public double Mixup { get; set; } = 0.8;

    /// <summary>α of CutMix; 0 for none. With mixup, each batch takes one of the two.</summary>
    /// <value>1.</value>
    [Range(0.0, 4.0)]
    public double Cutmix { get; set; } = 1;

    /// <summary>Magnitude of RandAugment; 0 for none.</summary>
    /// <value>9.</value>
    [Range(0.0, 10.0)]
    public double RandAugmentMagnitude { get; set; } = 9;

    /// <summary>Standard deviation of RandAugment's magnitude.</summary>
    /// <value>0.5.</value>
    [Range(0.0, 10.0)]
    public double RandAugmentDeviation { get; set; } = 0.5;

    /// <summary>Chance of erasing a rectangle of an image.</summary>
    /// <value>0.25 (Table 5).</value>
    [Range(0.0, 1.0)]
    public double RandomErasing { get; set; } = 0.25;

    /// <summary>How training images are cut.</summary>
    /// <value>RandomResizedCrop of at least 8% of the image, and flip.</value>
    [Required]
    public RandomCropOptions Crop { get; set; } = new() { MinScale = 0.08 };

    /// <summary>How the head's features come of the tokens; null keeps the encoder's pooling.</summary>
    /// <value><see cref="FeaturePooling.ClassToken"/> (DINO). MAE has <see cref="FeaturePooling.NormalizedMean"/>.</value>
    public FeaturePooling? Pooling { get; set; } = FeaturePooling.ClassToken;

    /// <summary>
    /// Last blocks that are trained, with the final normalisation and the head: what lies below them, the embedding of patches included,
    /// stays as it is, which saves most of the time and memory. Null to train everything.
    /// </summary>
    /// <value>null.</value>
    [Range(0, 256)]
    public int? TrainableBlocks { get; set; }

    /// <summary>
    /// Keeps of each block only what goes in, and computes the rest again for the gradients: much less memory for about a third more time
    /// (<see cref="PretrainingOptions.RecomputeBlocks"/>).
    /// </summary>
    /// <value>false.</value>
    [FreeOnResume]
    public bool RecomputeBlocks { get; set; }

    /// <summary>Side in pixels of the images; positions are resampled where it is not the encoder's. Null keeps the encoder's.</summary>
    /// <value>null.</value>
    [Range(8, 4096)]
    public int? ImageSize { get; set; }

    /// <summary>Largest norm of all gradients together; 0 for no clipping.</summary>
    /// <value>0.</value>
    [Range(0.0, double.MaxValue)]
    public double ClipGradient { get; set; }

    /// <summary>
    /// Momentum of a moving average of all weights, which is then what is kept; null for none. In a run of few steps it is at most so much that
    /// the average looks back over a tenth of them.
    /// </summary>
    /// <value>null.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double? EmaMomentum { get; set; }

    /// <summary>Epochs without a better one after which training stops; null for never. Needs a validation fraction.</summary>
    /// <value>null.</value>
    [Range(1, 1_000_000)]
    public int? Patience { get; set; }

    /// <summary>Share of each class' rows that is learned from, at least one row; 1 for all.</summary>
    /// <value>1.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LabelFraction { get; set; } = 1;

    /// <summary>
    /// File of the rows that are learned from (<see cref="LabelSubset"/>): read where it exists, written where it does not. Null for none.
    /// </summary>
    /// <value>null.</value>
    public string? LabelSubsetPath { get; set; }

    /// <summary>Where to compute.</summary>
    /// <value><see cref="ComputeDevice.Auto"/>.</value>
    [Required]
    [FreeOnResume]
    public ComputeDevice Device { get; set; } = ComputeDevice.Auto;

    /// <summary>In what precision the large matrix products of the encoder are computed.</summary>
    /// <value><see cref="TrainingPrecision.Float32"/>.</value>
    public TrainingPrecision Precision { get; set; } = TrainingPrecision.Float32;

    /// <summary>
    /// What the run keeps on disk, so that an interrupted one can go on. Each checkpoint has a usable encoder: that of its own step, or their
    /// average, where the classifier that Fit returns is of the best epoch. A folder holds one Fit: cross-validation needs none.
    /// </summary>
    /// <value>Nothing.</value>
    [Required]
    [FreeOnResume]
    public RunOutputOptions Output { get; set; } = new();

    /// <summary>
    /// Table 5: base learning rate 1e-4, layer decay 0.65, β 0.9 and 0.999, batch 256, random erasing 0.25, the class token.
    /// </summary>
    public static FineTuneOptions Dino() => new();

    /// <summary>Table 6: base learning rate 1e-3, layer decay 0.75, β 0.9 and 0.95, batch 1024, no erasing, the patches' mean.</summary>
    public static FineTuneOptions Mae() => new()
    {
        LearningRate = 1e-3, LayerDecay = 0.75, Beta2 = 0.95, BatchSize = 1024, RandomErasing = 0, Pooling = FeaturePooling.NormalizedMean,
    };

    /// <summary>
    /// Semi-ViT's supervised stage (Cai et al., NeurIPS 2022) on a share of the labels: below 5%, as for its 1%, base learning rate 5e-5
    /// and no mixup, CutMix, erasing or drop path; else, as for its 10%, base learning rate 2.5e-4 and all of them.
    /// </summary>
    /// <param name="labelFraction">
    /// Share of each class' rows that is learned from, for instance 0.01 or 0.1. Where few labels are all there are, set
    /// <see cref="LabelFraction"/> to 1 afterwards.
    /// </param>
    public static FineTuneOptions FewShot(double labelFraction) => labelFraction < 0.05
        ? new()
        {
            LabelFraction = labelFraction, LearningRate = 5e-5, Mixup = 0, Cutmix = 0, RandomErasing = 0, DropPath = 0,
            Pooling = null,
        }
        : new() { LabelFraction = labelFraction, LearningRate = 2.5e-4, Pooling = null };

    /// <summary>
    /// For a small encoder, such as that of DinoOptions.FewImages, with few labels or thousands: base learning rate 0.004, layer decay 0.75,
    /// 300,000 images seen in 50 to 300 epochs of batches of 64, light augmentation (RandAugment 5, crops of 0.3 and more), no mixup, CutMix,
    /// erasing or drop path. The paper's rates and its augmentation, which are for large ones, leave such an encoder far behind, and so do few
    /// epochs of few labels (docs/classifiers.md).
    /// </summary>
    /// <param name="labelledImages">How many there are to learn from.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none.</exception>
    public static FineTuneOptions SmallEncoder(int labelledImages) => new()
    {
        Epochs = FewImages.Epochs(labelledImages, FewImages.ImagesTuned, 50, 300), LearningRate = 0.004, LayerDecay = 0.75, BatchSize = 64, WarmupEpochs = 1, RandAugmentMagnitude = 5, Crop = new() { MinScale = 0.3 },
        Mixup = 0, Cutmix = 0, RandomErasing = 0, DropPath = 0, Pooling = null,
    };

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in base.Validate(validationContext)) yield return fault;
        if (Patience is not null && ValidationFraction == 0)
            yield return new($"Patience is {Patience} and ValidationFraction is 0; to stop early it must be above 0.");
    }

    /// <summary>Whether images are mixed, each with the one at the mirrored place of its batch.</summary>
    internal bool MixesPairs => Mixup > 0 || Cutmix > 0;

    /// <exception cref="ArgumentException">The image size is not a whole number of the encoder's patches.</exception>
    internal void CheckImageSize(VisionEncoder encoder)
    {
        int patch = encoder.Model.Options.PatchSize;
        if (ImageSize is { } size && size % patch != 0)
            throw new ArgumentException($"ImageSize is {size}; it must be a multiple of the encoder's PatchSize {patch}.");
    }

    internal FineTuneOptions Copy()
    {
        var copy = (FineTuneOptions)MemberwiseClone();
        (copy.Crop, copy.Output) = (Crop.Copy(), Output.Copy());
        return copy;
    }
}
