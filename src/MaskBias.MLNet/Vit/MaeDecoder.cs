using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// MAE's decoder: from the tokens of the visible patches to the pixels of all. It is kept beside an encoder so that images can be
/// reconstructed; parameter names are MAE's. It takes no masks: the bias is the encoder's alone.
/// </summary>
public sealed class MaeDecoder : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Linear decoder_embed;
    private readonly Parameter mask_token;
    private readonly Parameter decoder_pos_embed;
    private readonly ModuleList<Block> decoder_blocks;
    private readonly LayerNorm decoder_norm;
    private readonly Linear decoder_pred;
    private readonly MaeDecoderOptions options;
    private ScalarType? computeType;

    /// <summary>Creates the decoder of an encoder, with MAE's initialisation.</summary>
    /// <param name="encoder">The encoder's architecture: its width, patches and image size.</param>
    /// <param name="options">The decoder's own sizes.</param>
    /// <param name="seed">Seeds the initialisation.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MaeDecoder(VitOptions encoder, MaeDecoderOptions options, long seed = 0) : base(TorchRuntime.EnsureLoaded(nameof(MaeDecoder)))
    {
        this.options = OptionsValidator.Validate(options).Copy();
        (InputDim, PatchSize, GridSize) = (encoder.EmbedDim, encoder.PatchSize, encoder.GridSize);
        using var isolated = new IsolatedRandomState();
        using var scope = NewDisposeScope();
        decoder_embed = WeightLayers.Linear(InputDim, options.EmbedDim);
        mask_token = nn.Parameter(zeros(1, 1, options.EmbedDim));
        decoder_pos_embed = nn.Parameter(SinCosPositions.Create(options.EmbedDim, GridSize), requires_grad: false);
        decoder_blocks = nn.ModuleList(Enumerable.Range(0, options.Depth).Select(_ => NewBlock()).ToArray());
        decoder_norm = nn.LayerNorm(options.EmbedDim, eps: VitOptions.DefaultNormEpsilon);
        decoder_pred = WeightLayers.Linear(options.EmbedDim, 3 * PatchSize * PatchSize);
        RegisterComponents();
        if (!WeightLayers.SkipsStartValues) Initialize(seed);
        this.DetachWeights();
    }

    /// <summary>Width D of the encoder's tokens.</summary>
    public int InputDim { get; }

    /// <summary>Side p of a patch in pixels.</summary>
    public int PatchSize { get; }

    /// <summary>Patches along each side of the images that it reconstructs.</summary>
    public int GridSize { get; }

    /// <summary>Its own sizes. A copy.</summary>
    public MaeDecoderOptions Options => options.Copy();

    /// <summary>What its layers compute in, where it is not the type of the weights. Patches come in the type of the tokens.</summary>
    internal ScalarType? ComputeType
    {
        get => computeType;
        set
        {
            computeType = value;
            foreach (var block in decoder_blocks) block.ComputeType = value;
        }
    }

    /// <summary>Predicts every patch.</summary>
    /// <param name="visible">Tokens of the class and the visible patches from the encoder, [B, 1 + V, D].</param>
    /// <param name="restore">Place of each patch among the visible and then the hidden ones, [B, N].</param>
    /// <returns>[B, N, 3·p²]: pixels row by row, R, G, B together.</returns>
    public override Tensor forward(Tensor visible, Tensor restore)
    {
        using var scope = NewDisposeScope();
        var known = decoder_embed.In(visible.As(computeType)).As(visible.dtype);                                                 // [B, 1 + V, d]
        long batch = restore.shape[0], patches = restore.shape[1], width = options.EmbedDim, hidden = patches + 1 - known.shape[1];
        var shuffled = cat([known[.., 1..], mask_token.expand(batch, hidden, width)], dim: 1);      // [B, N, d]
        var ordered = shuffled.gather(1, restore.unsqueeze(-1).expand(batch, patches, width));
        var tokens = Sum(cat([known[.., ..1], ordered], dim: 1), decoder_pos_embed);                    // [B, 1 + N, d]
        foreach (var block in decoder_blocks) tokens = block.forward(tokens, null);
        var normalized = decoder_norm.forward(tokens)[.., 1..];
        return decoder_pred.In(normalized.As(computeType)).As(visible.dtype).MoveToOuterDisposeScope();
    }

    internal bool Fits(VitOptions encoder) => (InputDim, PatchSize, GridSize) == (encoder.EmbedDim, encoder.PatchSize, encoder.GridSize);

    private Block NewBlock() =>
        new(new() { EmbedDim = options.EmbedDim, Heads = options.Heads, MlpRatio = options.MlpRatio },
            dropPath: 0, bias: null, draws: null);

    private void Initialize(long seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        MaeInitialization.DrawLinears(this, generator);
        using var _ = no_grad();
        mask_token.normal_(0, MaeInitialization.TokenDeviation, generator);
    }
}
