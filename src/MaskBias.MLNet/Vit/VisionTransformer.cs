using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// A vision transformer whose self-attention can be guided by segmentation masks. Without masks it is the plain ViT of DINO, whose
/// parameter names it shares.
/// </summary>
/// <remarks>Concurrent forward passes are safe in evaluation mode; training is for one thread.</remarks>
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>
{
    private const double InitialDeviation = 0.02;

    private readonly Parameter cls_token;
    private readonly Parameter? register_tokens;      // [1, R, D]
    private readonly Parameter pos_embed;
    private readonly PatchEmbedding patch_embed;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly RowDraws draws;
    private readonly VitOptions options;
    private ScalarType? computeType;
    private BlockBorders? borders;              // where training is spread over ranks

    /// <summary>Creates an encoder with DINO's initialisation.</summary>
    /// <param name="options">The architecture.</param>
    /// <param name="seed">Seeds the initialisation and stochastic depth; the process-wide random state is left as it was.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public VisionTransformer(VitOptions options, long seed = 0) : base(TorchRuntime.EnsureLoaded(nameof(VisionTransformer)))
    {
        this.options = OptionsValidator.Validate(options).Copy();
        draws = new(new Generator((ulong)seed, CPU));
        using var isolated = new IsolatedRandomState();
        using var scope = NewDisposeScope();
        cls_token = nn.Parameter(zeros(1, 1, options.EmbedDim));
        register_tokens = options.RegisterTokens > 0 ? nn.Parameter(zeros(1, options.RegisterTokens, options.EmbedDim)) : null;
        pos_embed = options.Positions == PositionKind.SinCos
            ? nn.Parameter(SinCosPositions.Create(options.EmbedDim, options.GridSize), requires_grad: false)
            : nn.Parameter(zeros(1, options.PositionCount, options.EmbedDim));
        patch_embed = new PatchEmbedding(options.PatchSize, options.EmbedDim);
        blocks = nn.ModuleList(Enumerable.Range(0, options.Depth).Select(NewBlock).ToArray());
        norm = nn.LayerNorm(options.EmbedDim, eps: options.NormEpsilon);
        RegisterComponents();
        if (!WeightLayers.SkipsStartValues) Initialize();
        this.DetachWeights();
    }

    /// <summary>
    /// Creates an encoder with MAE's initialisation: linear layers and the patch projection by Xavier's uniform distribution (He et al., 2022,
    /// appendix A.2).
    /// </summary>
    /// <inheritdoc cref="VisionTransformer(VitOptions, long)"/>
    public static VisionTransformer CreateAsMae(VitOptions options, long seed = 0)
    {
        var model = new VisionTransformer(options, seed);
        model.InitializeAsMae();
        return model;
    }

    /// <summary>The architecture. A copy: changing it changes nothing here.</summary>
    public VitOptions Options => options.Copy();

    /// <summary>Length of the feature vector.</summary>
    public int FeatureDim => options.EmbedDim;

    /// <summary>Number of tokens before the patches': the class token and the registers.</summary>
    public int PrefixTokens => options.PrefixTokens;

    /// <summary>Whether the encoder was built with the mask-guided attention bias.</summary>
    public bool IsMaskGuided => options.MaskBias is not null;

    /// <summary>Whether training keeps only the blocks' inputs and computes the rest again for the gradients.</summary>
    internal bool RecomputesBlocks { get; set; }

    /// <summary>What the blocks compute in during training, where it is not the type of the weights; null for that.</summary>
    internal ScalarType? ComputeType
    {
        get => computeType;
        set
        {
            computeType = value;
            foreach (var block in blocks) block.ComputeType = value;
        }
    }

    /// <summary>Draws what stochastic depth drops.</summary>
    internal Generator Generator => draws.Generator;

    /// <summary>Trains on a rank's own rows of each batch, and tells how far the backward pass is.</summary>
    internal void JoinRanks(RankShare share)
    {
        draws.Own = share.Rows;
        borders = share.Borders;
        Parameter?[] before = [cls_token, register_tokens, pos_embed];
        borders.Name([.. before.OfType<Parameter>(), .. patch_embed.parameters()], blocks.Select(b => b.parameters()));
    }

    /// <summary>The learned weights of the bias, α and β of every layer that has them. They take no weight decay.</summary>
    public IReadOnlyList<Parameter> BiasParameters =>
        blocks.SelectMany(b => new[] { b.Attention.Alpha, b.Attention.Beta }).OfType<Parameter>().ToList();

    /// <summary>Features of images without masks.</summary>
    /// <param name="input">Normalised images, [B, 3, H, W]; any size of at least one patch.</param>
    /// <returns>[B, D].</returns>
    public override Tensor forward(Tensor input) => Forward(input, maskTokens: null);

    /// <summary>Features of images, guided by their masks where given.</summary>
    /// <param name="images">Normalised images, [B, 3, H, W].</param>
    /// <param name="maskTokens">Mask token vectors, [B, K, (H/p)·(W/p)], or null for the plain ViT.</param>
    /// <returns>[B, D]: the class token or the patch tokens' mean, after the final normalisation.</returns>
    public Tensor Forward(Tensor images, Tensor? maskTokens)
    {
        using var scope = NewDisposeScope();
        return Pool(ForwardTokens(images, maskTokens)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// All tokens after the final normalisation, [B, 1 + R + N, D]: class token, registers, patches row by row. With
    /// <see cref="FeaturePooling.NormalizedMean"/> they are not normalised, since the feature alone is.
    /// </summary>
    public Tensor ForwardTokens(Tensor images, Tensor? maskTokens = null)
    {
        using var scope = NewDisposeScope();
        var relations = Relations(images, maskTokens);
        var tokens = Prepare(images);
        return Normalize(Transform(tokens, relations)).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of some of the patches, which alone are computed, after the final normalisation.</summary>
    /// <param name="images">Normalised images, [B, 3, H, W].</param>
    /// <param name="visible">Indices of the patches to see, [B, V], each at most once in an image.</param>
    /// <param name="maskTokens">Mask token vectors of all patches, [B, K, N], or null.</param>
    /// <returns>[B, 1 + V, D], the class token first; registers are left out.</returns>
    public Tensor ForwardVisible(Tensor images, Tensor visible, Tensor? maskTokens = null)
    {
        using var scope = NewDisposeScope();
        var relations = Relations(images, maskTokens, visible);
        var all = Prepare(images);
        var patches = all[.., PrefixTokens..].gather(1, visible.unsqueeze(-1).expand(-1, -1, options.EmbedDim));
        var tokens = cat([all[.., ..PrefixTokens], patches], dim: 1);                               // [B, 1 + R + V, D]
        return norm.forward(WithoutRegisters(Transform(tokens, relations))).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of the last blocks, oldest first, each after the final normalisation, [B, 1 + R + N, D].</summary>
    /// <param name="images">Normalised images, [B, 3, H, W].</param>
    /// <param name="count">How many blocks; all when there are fewer.</param>
    /// <param name="maskTokens">Mask token vectors or null.</param>
    public IReadOnlyList<Tensor> IntermediateTokens(Tensor images, int count, Tensor? maskTokens = null)
    {
        using var scope = NewDisposeScope();
        var relations = Relations(images, maskTokens);
        var tokens = Prepare(images);
        var outputs = new List<Tensor>();
        for (int i = 0; i < blocks.Count; i++)
        {
            tokens = blocks[i].forward(tokens, relations);
            if (blocks.Count - i <= count) outputs.Add(Normalize(tokens).MoveToOuterDisposeScope());
        }
        return outputs;
    }

    /// <summary>Self-attention of the last block, [B, h, 1 + R + N, 1 + R + N]; rows sum to 1.</summary>
    public Tensor LastSelfAttention(Tensor images, Tensor? maskTokens = null)
    {
        using var scope = NewDisposeScope();
        var relations = Relations(images, maskTokens);
        var tokens = Prepare(images);
        for (int i = 0; i < blocks.Count - 1; i++) tokens = blocks[i].forward(tokens, relations);
        return blocks[^1].AttentionMap(tokens, relations).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The position embedding for an image of the given size in pixels, [1, 1 + N, D]; the class token's is 0 where it has none of its own.
    /// </summary>
    public Tensor PositionEmbedding(long height, long width)
    {
        using var scope = NewDisposeScope();
        var positions = PositionInterpolation.Resample(pos_embed, height, width, options.PatchSize, options.PositionResampling);
        if (!options.ClassTokenPosition) positions = nn.functional.pad(positions, [0, 0, 1, 0]);
        return ReferenceEquals(positions, pos_embed) ? pos_embed : positions.MoveToOuterDisposeScope();
    }

    /// <summary>α and β per layer (null where a layer has none), for reports and pictures.</summary>
    public IReadOnlyList<(float[]? Alpha, float[]? Beta)> BiasValues() =>
        blocks.Select(b => (Values(b.Attention.Alpha), Values(b.Attention.Beta))).ToList();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) draws.Generator.Dispose();
        base.Dispose(disposing);
    }

    private static float[]? Values(Parameter? weight)
    {
        if (weight is null) return null;
        using var scope = NewDisposeScope();
        return weight.detach().cpu().data<float>().ToArray();
    }

    /// <summary>Class token and patches: [B, 1 + R + N, D] -> [B, 1 + N, D].</summary>
    internal Tensor WithoutRegisters(Tensor tokens) =>
        register_tokens is null ? tokens : cat([tokens[.., ..1], tokens[.., PrefixTokens..]], dim: 1);

    private Tensor Normalize(Tensor tokens) => options.Pooling == FeaturePooling.NormalizedMean ? tokens.alias() : norm.forward(tokens);

    private Tensor Pool(Tensor tokens) => options.Pooling switch
    {
        FeaturePooling.ClassToken => tokens[.., 0],
        FeaturePooling.Mean => tokens[.., PrefixTokens..].mean([1]),
        _ => norm.forward(tokens[.., PrefixTokens..].mean([1])),
    };

    // [B, 3, H, W] -> [B, 1 + R + N, D]: class token and patches, positions added; the registers between them have none
    internal Tensor Prepare(Tensor images)
    {
        if (images.dim() != 4 || images.shape[1] != 3 || images.shape[2] < options.PatchSize || images.shape[3] < options.PatchSize)
            throw new ArgumentException($"Images are [{string.Join(", ", images.shape)}]; they must be [batch, 3, height, width] and at least one patch of {options.PatchSize} pixels large.");
        var patches = patch_embed.forward(images.As(computeType));
        var tokens = cat([cls_token.expand(images.shape[0], -1, -1), patches], dim: 1);
        tokens = Sum(tokens, PositionEmbedding(images.shape[2], images.shape[3]));
        if (register_tokens is null) return tokens;
        return cat([tokens[.., ..1], register_tokens.expand(images.shape[0], -1, -1), tokens[.., 1..]], dim: 1);
    }

    private PatchRelations? Relations(Tensor images, Tensor? maskTokens, Tensor? visible = null)
    {
        if (maskTokens is null) return null;
        if (options.MaskBias is not { } bias)
            throw new InvalidOperationException("The encoder has no mask-guided attention bias: build it with VitOptions.MaskBias, or give no masks.");
        long patches = images.shape[2] / options.PatchSize * (images.shape[3] / options.PatchSize);
        if (maskTokens.dim() != 3 || maskTokens.shape[0] != images.shape[0] || maskTokens.shape[2] != patches)
            throw new ArgumentException($"Mask token vectors are [{string.Join(", ", maskTokens.shape)}]; for these images they must be [{images.shape[0]}, masks, {patches}].");
        // A relation depends on its two patches alone: among the visible ones they are the rows and columns of all, for less work.
        if (visible is not null) maskTokens = maskTokens.gather(2, visible.unsqueeze(1).expand(-1, maskTokens.shape[1], -1));
        var relations = PatchRelations.From(maskTokens, bias.Relation, bias.Kind, PrefixTokens);
        return computeType is { } type ? relations.As(type) : relations;
    }

    private Tensor Transform(Tensor tokens, PatchRelations? relations)
    {
        for (int i = 0; i < blocks.Count; i++)
            tokens = RecomputedBlock.Forward(blocks[i], borders?.Cross(tokens, i) ?? tokens, relations, RecomputesBlocks);
        return borders?.Cross(tokens, blocks.Count) ?? tokens;
    }

    private Block NewBlock(int layer)
    {
        // 0 in the first block, DropPath in the last
        double rate = options.Depth == 1 ? options.DropPath : options.DropPath * layer / (options.Depth - 1);
        return new Block(options, rate, options.MaskBias?.AppliesTo(layer, options.Depth) == true ? options.MaskBias : null, draws);
    }

    // Normal of deviation 0.02 for tokens, positions and linear layers; DINO truncates at ±2, a hundred deviations away.
    private void Initialize()
    {
        using var _ = no_grad();
        cls_token.normal_(0, InitialDeviation, draws.Generator);
        if (options.Positions == PositionKind.Learned) pos_embed.normal_(0, InitialDeviation, draws.Generator);
        register_tokens?.normal_(0, InitialDeviation, draws.Generator);
        patch_embed.Initialize(draws.Generator);
        foreach (var linear in modules().OfType<Linear>())
        {
            linear.weight!.normal_(0, InitialDeviation, draws.Generator);
            linear.bias?.zero_();
        }
    }

    /// <summary>
    /// Takes the weights of an encoder that differs in the sizes of images and patches at most; a bias that it lacks stays. An α or β that the
    /// heads share here starts as the mean of theirs, one per head as what they shared.
    /// </summary>
    internal void CopyResized(VisionTransformer source)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var known = source.state_dict();
        long newSize = (long)options.GridSize * source.options.PatchSize;              // as many of its patches as there are here
        foreach (var (name, weight) in state_dict())
        {
            if (!known.ContainsKey(name) || (name == "pos_embed" && options.Positions == PositionKind.SinCos)) continue;
            weight.copy_(name switch
            {
                "pos_embed" => PositionInterpolation.Resample(
                    source.pos_embed, newSize, newSize, source.options.PatchSize, options.PositionResampling),
                "patch_embed.proj.weight" => PatchResampling.Resample(known[name], options.PatchSize, options.PatchSize),
                _ when weight.numel() == 1 => known[name].mean(),
                _ => known[name],
            });
        }
    }

    /// <summary>
    /// Keeps all but the last blocks and the final normalisation as they are in training: no gradients, no stochastic depth.
    /// </summary>
    /// <param name="trainable">Blocks that are trained; the embedding of patches is not.</param>
    internal void FreezeBelow(int trainable)
    {
        var frozen = blocks.Take(Math.Max(0, blocks.Count - trainable)).ToList();
        foreach (var block in frozen) block.IsFrozen = true;
        var tokens = new[] { cls_token, register_tokens, pos_embed }.OfType<Parameter>();
        foreach (var parameter in frozen.SelectMany(b => b.parameters()).Concat(patch_embed.parameters()).Concat(tokens))
            parameter.requires_grad = false;
    }

    private void InitializeAsMae()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        cls_token.normal_(0, MaeInitialization.TokenDeviation, draws.Generator);
        patch_embed.InitializeXavier(draws.Generator);
        MaeInitialization.DrawLinears(this, draws.Generator);
    }
}
