using System.ComponentModel.DataAnnotations;
using System.Globalization;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>
/// Settings of a linear probe: a linear layer learns on the features of an encoder that stays as it is. <see cref="Dino"/> and
/// <see cref="Mae"/> are the paper's (supplement, Tables 3 and 4), for a million images; <see cref="Sweep"/> finds its own learning rate and
/// weight decay, and is what a trainer takes where no options are given.
/// </summary>
public sealed class LinearProbeOptions : SupervisedOptions
{
    private const int MostLayers = 64;

    /// <summary>
    /// Base learning rates, one linear layer for each, or for each with each of <see cref="WeightDecays"/>: they are trained side by side on the
    /// same features, and the best is kept. The rate in force is this × batch / 256.
    /// </summary>
    /// <value>[1e-3] (Table 3).</value>
    [Required]
    public double[] LearningRates { get; set; } = [1e-3];

    /// <summary>
    /// Weight decays, one linear layer for each together with each of the learning rates; null for <see cref="SupervisedOptions.WeightDecay"/>
    /// alone.
    /// </summary>
    /// <value>null.</value>
    public double[]? WeightDecays { get; set; }

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
    /// Three learning rates with seven weight decays each, at once on features computed once, for data of which no good ones are known: the
    /// layer that is right most often is trained again on all rows. A fifth of the rows judges or, of fewer than 4,000, all do, each held out
    /// of one of five trainings. Features are normalised. Where fewer than 30 rows can be held out the layer of rate 0.1 and weight decay 0.3
    /// is taken, with a warning.
    /// </summary>
    public static LinearProbeOptions Sweep() => new()
    {
        LearningRates = [0.02, 0.1, 0.5], WeightDecays = [1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3], ValidationFraction = 0.2, Augmentation = null,
        BatchNorm = true,
    };

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in base.Validate(validationContext)) yield return fault;
        if (LearningRates is { Length: 0 }) yield return new("LearningRates is empty; it must have at least one value.");
        if (WeightDecays is { Length: 0 }) yield return new("WeightDecays is empty; it must have at least one value, or be null.");
        int layers = LearningRates?.Length * (WeightDecays?.Length ?? 1) ?? 1;
        string values = $"LearningRates has {LearningRates?.Length} values{(WeightDecays is null ? "" : $", WeightDecays {WeightDecays.Length}")}";
        if (layers > MostLayers) yield return new($"{values}; these are {layers} layers, and there may be {MostLayers}.");
        if (layers > 1 && ValidationFraction == 0) yield return new($"{values} and ValidationFraction is 0; to choose the best it must be above 0.");
        if (WeightDecays is not null && WeightDecay > 0)
        {
            yield return new(string.Create(CultureInfo.InvariantCulture,
                $"WeightDecay is {WeightDecay} and WeightDecays has {WeightDecays.Length} values, which count; put it into WeightDecays, or leave that null."));
        }
        if (LearningRates?.Any(r => r is not (> 0 and <= 1000)) == true)
            yield return new($"LearningRates is [{List(LearningRates)}]; each must lie in (0, 1000].");
        if (WeightDecays?.Any(d => d is not (>= 0 and <= 10)) == true)
            yield return new($"WeightDecays is [{List(WeightDecays)}]; each must lie in [0, 10].");
        if (LearningRates is { Length: > 1 } && MinLearningRate > 0)
        {
            yield return new(string.Create(CultureInfo.InvariantCulture,
                $"MinLearningRate is {MinLearningRate} and LearningRates has {LearningRates.Length} values; with several it must be 0."));
        }

        static string List(double[] values) => string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
    }

    internal LinearProbeOptions Copy()
    {
        var copy = (LinearProbeOptions)MemberwiseClone();
        (copy.LearningRates, copy.WeightDecays, copy.Features, copy.Augmentation, copy.Masks) =
            ([.. LearningRates], WeightDecays is null ? null : [.. WeightDecays], Features?.Copy(), Augmentation?.Copy(), Masks.Copy());
        return copy;
    }
}
