using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Vit;

/// <summary>The architecture of a vision transformer (Dosovitskiy et al., ICLR 2021; sizes of Touvron et al., ICML 2021).</summary>
public sealed class VitOptions : IValidatableObject
{
    internal const double DefaultNormEpsilon = 1e-6;

    /// <summary>Side in pixels of the square images that the position embedding is made for; other sizes are interpolated.</summary>
    /// <value>224.</value>
    [Range(8, 4096)]
    public int ImageSize { get; set; } = 224;

    /// <summary>Side in pixels of a patch; must divide <see cref="ImageSize"/>.</summary>
    /// <value>16.</value>
    [Range(1, 256)]
    public int PatchSize { get; set; } = 16;

    /// <summary>Width D of the tokens; must be a multiple of <see cref="Heads"/>.</summary>
    /// <value>384 (ViT-S).</value>
    [Range(1, 16384)]
    public int EmbedDim { get; set; } = 384;

    /// <summary>Number of transformer blocks.</summary>
    /// <value>12.</value>
    [Range(1, 256)]
    public int Depth { get; set; } = 12;

    /// <summary>Number of attention heads.</summary>
    /// <value>6 (ViT-S).</value>
    [Range(1, 256)]
    public int Heads { get; set; } = 6;

    /// <summary>Hidden width of a block's MLP as a multiple of <see cref="EmbedDim"/>.</summary>
    /// <value>4.</value>
    [Range(0.25, 16.0)]
    public double MlpRatio { get; set; } = 4;

    /// <summary>The kind of a block's feed-forward part.</summary>
    /// <value><see cref="FeedForwardKind.Mlp"/>.</value>
    public FeedForwardKind FeedForward { get; set; } = FeedForwardKind.Mlp;

    /// <summary>Start value of LayerScale, a learned factor per channel of every branch; null for none.</summary>
    /// <value>null. DINOv2 has it (1e-5 to train, 1 in its published models), DINO and MAE do not.</value>
    [Range(-100.0, 100.0)]
    public double? LayerScale { get; set; }

    /// <summary>The ε of every LayerNorm, added to the variance.</summary>
    /// <value>1e-6 (DINO, DINOv2, MAE, timm). Hugging Face's ViT has 1e-12.</value>
    [Range(0.0, 1.0)]
    public double NormEpsilon { get; set; } = DefaultNormEpsilon;

    /// <summary>
    /// Number R of register tokens between the class token and the patches (Darcet et al., ICLR 2024). They have no position and no part in
    /// the features; masks do not bias them.
    /// </summary>
    /// <value>0; 4 in DINOv2 with registers.</value>
    [Range(0, 256)]
    public int RegisterTokens { get; set; }

    /// <summary>Rate of stochastic depth in the last block; it grows linearly from 0 in the first.</summary>
    /// <value>0.</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double DropPath { get; set; }

    /// <summary>What <see cref="VisionTransformer.forward(TorchSharp.torch.Tensor)"/> returns.</summary>
    /// <value><see cref="FeaturePooling.ClassToken"/>.</value>
    public FeaturePooling Pooling { get; set; } = FeaturePooling.ClassToken;

    /// <summary>Where the position embedding comes from; sin-cos needs an <see cref="EmbedDim"/> that is a multiple of 4.</summary>
    /// <value><see cref="PositionKind.Learned"/>.</value>
    public PositionKind Positions { get; set; } = PositionKind.Learned;

    /// <summary>Whether the class token has a position embedding of its own; without it the patches alone have one.</summary>
    /// <value>True (DINO, MAE). False is timm's <c>no_embed_class</c>.</value>
    public bool ClassTokenPosition { get; set; } = true;

    /// <summary>How positions are resampled for images of another size.</summary>
    /// <value><see cref="PositionResampling.Offset"/>, as DINO does.</value>
    public PositionResampling PositionResampling { get; set; } = PositionResampling.Offset;

    /// <summary>The mask-guided attention bias, or null for a plain vision transformer.</summary>
    /// <value>null.</value>
    public MaskBiasOptions? MaskBias { get; set; }

    /// <summary>Patches along one side of an image of <see cref="ImageSize"/>.</summary>
    internal int GridSize => ImageSize / PatchSize;

    /// <summary>Tokens before the patches: the class token and the registers.</summary>
    internal int PrefixTokens => 1 + RegisterTokens;

    /// <summary>Rows of the position embedding.</summary>
    internal int PositionCount => (ClassTokenPosition ? 1 : 0) + GridSize * GridSize;

    /// <summary>Width between the layers of the feed-forward part.</summary>
    internal int HiddenDim
    {
        get
        {
            int hidden = (int)(EmbedDim * MlpRatio);
            return FeedForward == FeedForwardKind.SwiGlu ? ((int)(hidden * 2L / 3) + 7) / 8 * 8 : hidden;
        }
    }

    /// <summary>ViT-Ti: 192 wide, 3 heads, 12 deep.</summary>
    public static VitOptions Tiny(int patchSize = 16, int imageSize = 224) => Preset(192, 3, patchSize, imageSize);

    /// <summary>ViT-S: 384 wide, 6 heads, 12 deep.</summary>
    public static VitOptions Small(int patchSize = 16, int imageSize = 224) => Preset(384, 6, patchSize, imageSize);

    /// <summary>ViT-B: 768 wide, 12 heads, 12 deep.</summary>
    public static VitOptions Base(int patchSize = 16, int imageSize = 224) => Preset(768, 12, patchSize, imageSize);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PatchSize > 0 && ImageSize % PatchSize != 0)
            yield return new($"PatchSize is {PatchSize}; it must divide ImageSize {ImageSize}.");
        if (Heads > 0 && EmbedDim % Heads != 0)
            yield return new($"Heads is {Heads}; it must divide EmbedDim {EmbedDim}.");
        if (Positions == PositionKind.SinCos && !ClassTokenPosition)
            yield return new("ClassTokenPosition is False; sin-cos positions have one for the class token, which is 0.");
        if (Positions == PositionKind.SinCos && EmbedDim % 4 != 0)
            yield return new($"EmbedDim is {EmbedDim}; it must be a multiple of 4 for sin-cos positions.");
    }

    internal VitOptions Copy()
    {
        var copy = (VitOptions)MemberwiseClone();
        copy.MaskBias = MaskBias?.Copy();
        return copy;
    }

    /// <summary>Whether weights of one architecture fit the other, and mean the same; the mask-guided bias aside.</summary>
    internal bool HasSameWeightsAs(VitOptions other) => (ImageSize, PatchSize) == (other.ImageSize, other.PatchSize) && CanResize(other);

    /// <summary>Whether the two differ in the sizes of images and patches at most; the mask-guided bias aside.</summary>
    internal bool CanResize(VitOptions other) => !DifferencesFrom(other).Any();

    /// <summary>In what else the two differ, each by its name with both values.</summary>
    internal IEnumerable<string> DifferencesFrom(VitOptions other) =>
        Compared.Zip(other.Compared).Where(w => w.First != w.Second).Select(w => $"{w.First.Name} is {w.First.Value}, not {w.Second.Value}");

    // What the shapes of the weights depend on and their meaning, but for the sizes of images and patches.
    private (string Name, string Value)[] Compared =>
    [
        (nameof(EmbedDim), $"{EmbedDim}"), (nameof(Depth), $"{Depth}"), (nameof(Heads), $"{Heads}"), (nameof(FeedForward), $"{FeedForward}"),
        ($"the hidden width ({nameof(MlpRatio)})", $"{HiddenDim}"), (nameof(LayerScale), LayerScale is null ? "null" : "a number"),
        (nameof(RegisterTokens), $"{RegisterTokens}"), (nameof(ClassTokenPosition), $"{ClassTokenPosition}"),
    ];

    internal VitOptions WithoutMaskBias()
    {
        var copy = Copy();
        copy.MaskBias = null;
        return copy;
    }

    private static VitOptions Preset(int width, int heads, int patchSize, int imageSize) =>
        new() { ImageSize = imageSize, PatchSize = patchSize, EmbedDim = width, Heads = heads };
}
