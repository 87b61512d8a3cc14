using System.ComponentModel.DataAnnotations;
using System.Globalization;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// Settings of MAE pretraining, plain or guided by masks. Defaults are the paper's (supplement, Table 2), and where the table prints none
/// those of He et al. (CVPR 2022).
/// </summary>
public sealed class MaeOptions : PretrainingOptions
{
    private const PositionKind DefaultPositions = PositionKind.SinCos;
    private const FeaturePooling DefaultPooling = FeaturePooling.Mean;

    private PositionKind? positions;            // null until set: those of StartFrom have learned
    private FeaturePooling? pooling;

    /// <summary>
    /// Settings with Table 2's values: batch 4096, base learning rate 1.5e-4, 40 warm-up epochs, weight decay 0.05, β 0.9 and 0.95.
    /// </summary>
    public MaeOptions()
    {
        BatchSize = 4096;
        LearningRate = 1.5e-4;
        MinLearningRate = 0;
        WarmupEpochs = 40;
        WarmupReachesPeak = false;
        WeightDecay = 0.05;
        FinalWeightDecay = 0.05;
        Beta2 = 0.95;
    }

    /// <summary>Table 2's variant for patches of 8 pixels: ViT-S/8, which hides blocks of 2×2 tokens.</summary>
    /// <param name="imageSize">Side of the images in pixels; a multiple of 16.</param>
    public static MaeOptions Patch8(int imageSize = 224) =>
        new() { Encoder = VitOptions.Small(patchSize: 8, imageSize), MaskBlockSize = 2 };

    /// <summary>
    /// Settings for some hundred to some thousand images and an encoder that starts from random weights: 96 wide and 3 deep, patches of 8 at 32
    /// pixels, a decoder 96 wide and 2 deep of normalised pixels, 1.3 million images seen in 100 to 400 epochs of batches of 64, base learning
    /// rate 0.002 (docs/study.md; for finer detail raise <see cref="VitOptions.ImageSize"/>).
    /// </summary>
    /// <param name="images">How many there are.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none.</exception>
    public static MaeOptions FewImages(int images) => new()
    {
        Encoder = Training.FewImages.Encoder, BatchSize = Training.FewImages.BatchSize,
        Epochs = Training.FewImages.Epochs(images, Training.FewImages.ImagesSeen, 100, 400), LearningRate = 0.002,
        Decoder = new() { EmbedDim = 96, Depth = 2, Heads = 3, NormalizePixels = true },
    };

    /// <summary>
    /// The encoder. Its own positions, pooling and mask bias are replaced by <see cref="Positions"/>, <see cref="Pooling"/> and
    /// <see cref="MaskBias"/>; it has no drop path.
    /// </summary>
    /// <value>ViT-S/16 at 224 pixels.</value>
    [Required]
    public VitOptions Encoder { get; set; } = VitOptions.Small();

    /// <summary>
    /// An encoder to go on from, such as a public one (<see cref="Weights.EncoderCheckpoint.Load"/>); <see cref="Encoder"/> may differ from its
    /// architecture in the sizes of images and patches alone. Its decoder is taken too where it is of the same sizes. It stays as it is.
    /// Heads whose α and β are shared from now on start with the mean of theirs.
    /// </summary>
    /// <value>null: training starts anew.</value>
    public VisionEncoder? StartFrom { get; set; }

    /// <summary>The encoder's position embedding.</summary>
    /// <value>That of <see cref="StartFrom"/>, whose positions are kept; without it <see cref="PositionKind.SinCos"/> (He et al.).</value>
    public PositionKind Positions
    {
        get => positions ?? StartFrom?.Model.Options.Positions ?? DefaultPositions;
        set => positions = value;
    }

    /// <summary>How the encoder's tokens become a feature vector once it is trained.</summary>
    /// <value>
    /// That of <see cref="StartFrom"/>; without it <see cref="FeaturePooling.Mean"/>: nothing trains the class token to sum up the image.
    /// </value>
    public FeaturePooling Pooling
    {
        get => pooling ?? StartFrom?.Model.Options.Pooling ?? DefaultPooling;
        set => pooling = value;
    }

    /// <summary>The decoder, and whether it predicts normalised pixels.</summary>
    /// <value>512 wide, 8 blocks, plain pixels.</value>
    [Required]
    public MaeDecoderOptions Decoder { get; set; } = new();

    /// <summary>The mask-guided attention bias, used when <see cref="PretrainingOptions.MaskColumnName"/> is set.</summary>
    /// <value>Positive relations, soft, per layer and head, from 0.</value>
    [Required]
    public MaskBiasOptions MaskBias { get; set; } = new();

    /// <summary>The one view of an image.</summary>
    /// <value>A crop of 0.2 to 1 of the area, flipped half of the time.</value>
    [Required]
    public RandomCropOptions Crop { get; set; } = new();

    /// <summary>Share of the patches hidden from the encoder, in (0, 1).</summary>
    /// <value>0.75 (Table 2).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true,
        ErrorMessage = "it must lie in (0, 1): at 0 no patch is hidden, at 1 none is left for the encoder to see")]
    public double MaskRatio { get; set; } = 0.75;

    /// <summary>Patches along a side of the square blocks that are hidden together; must divide the grid of patches.</summary>
    /// <value>1: each patch alone (Table 2: 2 with ViT/8).</value>
    [Range(1, 4096)]
    public int MaskBlockSize { get; set; } = 1;

    /// <summary>
    /// Epochs during which α and β of the bias are not trained; at most a third of a short run, or <see cref="int.MaxValue"/> for all of it.
    /// </summary>
    /// <value>0: they are trained from the start (Table 2).</value>
    [Range(0, int.MaxValue)]
    public int FreezeBiasEpochs { get; set; }

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var result in base.Validate(validationContext)) yield return result;
        if (Encoder is null || Encoder.PatchSize < 1 || Encoder.GridSize < 1 || MaskBlockSize < 1) yield break;
        if (Positions == PositionKind.SinCos && Encoder.Positions != PositionKind.SinCos && Encoder.EmbedDim % 4 != 0)
            yield return new($"Encoder.EmbedDim is {Encoder.EmbedDim}; it must be a multiple of 4 for sin-cos positions.");
        int grid = Encoder.GridSize;
        if (grid % MaskBlockSize != 0)
        {
            yield return new($"MaskBlockSize is {MaskBlockSize}; it must divide the {grid} patches along a side of the image.");
            yield break;
        }
        if (!(MaskRatio is > 0 and < 1)) yield break;
        int blocks = grid / MaskBlockSize * (grid / MaskBlockSize), visible = PatchMasker.VisibleBlocks(grid, MaskRatio, MaskBlockSize);
        if (visible > 0 && visible < blocks) yield break;
        yield return new(string.Create(CultureInfo.InvariantCulture,
            $"MaskRatio is {MaskRatio}; of {blocks} blocks of patches it {(visible == 0 ? "leaves none visible" : "hides none")}."));
    }

    /// <summary>The encoder with everything that these options replace in it.</summary>
    internal VitOptions Architecture()
    {
        var architecture = Encoder.Copy();
        (architecture.Positions, architecture.Pooling, architecture.DropPath) = (Positions, Pooling, 0);
        architecture.MaskBias = MaskColumnName is null ? null : MaskBias.Copy();
        return architecture;
    }

    /// <summary>What is StartFrom's in place of the default.</summary>
    internal IEnumerable<string> TakenFromStart()
    {
        if (positions is null && Positions != DefaultPositions)
            yield return $"Positions is {Positions}, not {DefaultPositions}: StartFrom's are kept.";
        if (pooling is null && Pooling != DefaultPooling) yield return $"Pooling is {Pooling}, not {DefaultPooling}: it is StartFrom's.";
    }

    internal MaeOptions Copy()
    {
        var copy = (MaeOptions)MemberwiseClone();
        (copy.Encoder, copy.Decoder, copy.MaskBias) = (Encoder.Copy(), Decoder.Copy(), MaskBias.Copy());
        (copy.Crop, copy.Masks, copy.Output) = (Crop.Copy(), Masks.Copy(), Output.Copy());
        copy.NearestNeighborMonitor = NearestNeighborMonitor?.Copy();
        return copy;
    }
}
