using System.ComponentModel.DataAnnotations;
using System.Globalization;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>
/// Settings of a linear probe: a linear layer learns on the features of an encoder that stays as it is. <see cref="Dino"/> and
/// <see cref="Mae"/> are the paper's (supplement, Tables 3 and 4), for a million images; <see cref="Sweep"/> finds its own learning rate, and is
/// what a trainer takes where no options are given.
/// </summary>
public sealed class LinearProbeOptions : SupervisedOptions
{
    /// <summary>Base learning rates, one linear layer for each: they are trained side by side on the same features, and the best is kept.
    /// The rate in force is this × batch / 256.</summary>
    /// <value>[1e-3] (Table 3).</value>
    [Required]
    public double[] LearningRates { get; set; } = [1e-3];

    /// <summary>The optimizer.</summary>
    /// <value><see cref="ProbeOptimizer.Sgd"/> (Table 3).</value>
    public ProbeOptimizer Optimizer { get; set; } = ProbeOptimizer.Sgd;

    /// <summary>Momentum.</summary>
    /// <value>0.9.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; set; } = 0.9;

    /// <summary>Whether features are normalised by their mean and deviation before the linear layer; folded into it at the end.</summary>
    /// <value>False (DINO). MAE does.</value>
    public bool BatchNorm { get; set; }

    /// <summary>The features, or null for the encoder's own feature vector.</summary>
    /// <value>Class tokens of the last 4 blocks (DINO).</value>
    public BlockFeatureOptions? Features { get; set; } = new();

    /// <summary>How training images are cut; null computes the features of the plain images once, which is many times as fast.</summary>
    /// <value>RandomResizedCrop of at least 8% of the image, and flip.</value>
    public RandomCropOptions? Augmentation { get; set; } = new() { MinScale = 0.08 };

    /// <summary>Column with the encoded masks that guide the encoder, or null for none. For mask-guided encoders only.</summary>
    /// <value>null.</value>
    public string? MaskColumnName { get; set; }

    /// <summary>Which masks of a view count.</summary>
    [Required]
    public MaskTokenOptions Masks { get; set; } = new();

    /// <summary>Column with features that are learned from instead of images; used by the trainer that takes no encoder.</summary>
    /// <value>"Features".</value>
    [Required]
    public string FeatureColumnName { get; set; } = "Features";

    /// <summary>
    /// Table 3: SGD with momentum 0.9, base learning rate 1e-3, no weight decay, batch 256, 100 epochs, cosine without warm-up, on class
    /// tokens of the last 4 blocks.
    /// </summary>
    public static LinearProbeOptions Dino() => new();

    /// <summary>
    /// Table 4: LARS with momentum 0.9, base learning rate 0.1, no weight decay, batch 16384, 90 epochs, cosine after 10 epochs of warm-up, on
    /// the last class token, normalised.
    /// </summary>
    public static LinearProbeOptions Mae() => new()
    {
        Optimizer = ProbeOptimizer.Lars, LearningRates = [0.1], BatchSize = 16384, Epochs = 90, WarmupEpochs = 10, BatchNorm = true,
        Features = new() { LastBlocks = 1 },
    };

    /// <summary>
    /// Thirteen learning rates at once on features computed once, the best chosen by the loss of a tenth of the rows and then trained again on
    /// all, as DINOv2 chooses (Oquab et al., 2023): for data of which no good rate is known. Features are normalised. Where neither 30 rows
    /// nor as many as there are classes can be held out, the rate nearest to 0.1 is taken instead, with a warning.
    /// </summary>
    public static LinearProbeOptions Sweep() => new()
    {
        LearningRates = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], ValidationFraction = 0.1, Augmentation = null,
        BatchNorm = true,
    };

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in base.Validate(validationContext)) yield return fault;
        if (LearningRates is { Length: 0 or > 64 }) yield return new($"LearningRates has {LearningRates.Length} values; it must have 1 to 64.");
        if (LearningRates?.Any(r => r is not (> 0 and <= 1000)) == true)
        {
            var rates = LearningRates.Select(rate => rate.ToString(CultureInfo.InvariantCulture));
            yield return new($"LearningRates is [{string.Join(", ", rates)}]; each must lie in (0, 1000].");
        }
        if (LearningRates is { Length: > 1 } && ValidationFraction == 0)
            yield return new($"LearningRates has {LearningRates.Length} values and ValidationFraction is 0; to choose the best it must be above 0.");
        if (LearningRates is { Length: > 1 } && MinLearningRate > 0)
        {
            yield return new(string.Create(CultureInfo.InvariantCulture,
                $"MinLearningRate is {MinLearningRate} and LearningRates has {LearningRates.Length} values; with several it must be 0."));
        }
    }

    internal LinearProbeOptions Copy()
    {
        var copy = (LinearProbeOptions)MemberwiseClone();
        (copy.LearningRates, copy.Features, copy.Augmentation, copy.Masks) =
            ([.. LearningRates], Features?.Copy(), Augmentation?.Copy(), Masks.Copy());
        return copy;
    }
}
