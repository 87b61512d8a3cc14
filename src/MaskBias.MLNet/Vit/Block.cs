using MaskBias.MLNet.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>A pre-norm transformer block: x ← x + attention(norm1 x); x ← x + mlp(norm2 x), each branch with stochastic depth.</summary>
internal sealed class Block : nn.Module<Tensor, PatchRelations?, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly MaskGuidedAttention attn;
    private readonly LayerNorm norm2;
    private readonly Mlp mlp;
    private readonly double dropPath;
    private readonly Generator? generator;       // needed where paths are dropped

    public Block(VitOptions options, double dropPath, MaskBiasOptions? bias, Generator? generator) : base(nameof(Block))
    {
        this.dropPath = dropPath;
        this.generator = generator;
        norm1 = nn.LayerNorm(options.EmbedDim, eps: VisionTransformer.NormEpsilon);
        attn = new MaskGuidedAttention(options.EmbedDim, options.Heads, bias);
        norm2 = nn.LayerNorm(options.EmbedDim, eps: VisionTransformer.NormEpsilon);
        mlp = new Mlp(options.EmbedDim, (int)(options.EmbedDim * options.MlpRatio));
        RegisterComponents();
    }

    public MaskGuidedAttention Attention => attn;

    // [B, N, D] -> [B, N, D]
    public override Tensor forward(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        var mixed = tokens + DropPath(attn.forward(norm1.forward(tokens), relations));
        return (mixed + DropPath(mlp.forward(norm2.forward(mixed)))).MoveToOuterDisposeScope();
    }

    /// <summary>The attention map of this block for the given input tokens, [B, h, N, N].</summary>
    public Tensor AttentionMap(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        return attn.ForwardWithMap(norm1.forward(tokens), relations).Map.MoveToOuterDisposeScope();
    }

    // Per sample: the branch is dropped with the given rate, else scaled by 1/(1 − rate).
    private Tensor DropPath(Tensor branch)
    {
        if (!training || dropPath == 0) return branch;
        double keep = 1 - dropPath;
        var kept = rand([branch.shape[0], 1, 1], generator: generator).add_(keep).floor_().div_(keep);
        return branch * kept.to(branch.device);
    }
}
