using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// A pre-norm transformer block: x ← x + γ₁·attention(norm1 x); x ← x + γ₂·mlp(norm2 x), each branch with stochastic depth; γ is 1 without
/// LayerScale.
/// </summary>
internal sealed class Block : nn.Module<Tensor, PatchRelations?, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly MaskGuidedAttention attn;
    private readonly LayerScale? ls1;
    private readonly LayerNorm norm2;
    private readonly nn.Module<Tensor, Tensor> mlp;
    private readonly LayerScale? ls2;
    private readonly double dropPath;
    private readonly RowDraws? draws;            // needed where paths are dropped

    public Block(VitOptions options, double dropPath, MaskBiasOptions? bias, RowDraws? draws) : base(nameof(Block))
    {
        this.dropPath = dropPath;
        this.draws = draws;
        norm1 = nn.LayerNorm(options.EmbedDim, eps: options.NormEpsilon);
        attn = new MaskGuidedAttention(options.EmbedDim, options.Heads, bias);
        ls1 = options.LayerScale is { } first ? new LayerScale(options.EmbedDim, first) : null;
        norm2 = nn.LayerNorm(options.EmbedDim, eps: options.NormEpsilon);
        mlp = options.FeedForward == FeedForwardKind.SwiGlu
            ? new SwiGlu(options.EmbedDim, options.HiddenDim)
            : new Mlp(options.EmbedDim, options.HiddenDim);
        ls2 = options.LayerScale is { } second ? new LayerScale(options.EmbedDim, second) : null;
        RegisterComponents();
    }

    public MaskGuidedAttention Attention => attn;

    /// <summary>Whether it stays as it is: then nothing is dropped in training either.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>What attention and feed-forward part compute in, where it is not the type of the weights.</summary>
    public ScalarType? ComputeType { get; set; }

    // [B, N, D] -> [B, N, D]; the sum of the branches stays in the precision of the tokens
    public override Tensor forward(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        var mixed = Sum(tokens, DropPath(Scale(ls1, attn.forward(norm1.forward(tokens).As(ComputeType), relations))));
        return Sum(mixed, DropPath(Scale(ls2, mlp.forward(norm2.forward(mixed).As(ComputeType))))).MoveToOuterDisposeScope();
    }

    /// <summary>The attention map of this block for the given input tokens, [B, h, N, N].</summary>
    public Tensor AttentionMap(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        return attn.ForwardWithMap(norm1.forward(tokens).As(ComputeType), relations).Map.MoveToOuterDisposeScope();
    }

    private static Tensor Scale(LayerScale? scale, Tensor branch) => scale is null ? branch : scale.forward(branch);

    // Per sample: the branch is dropped with the given rate, else scaled by 1/(1 − rate).
    private Tensor DropPath(Tensor branch)
    {
        if (!training || IsFrozen || dropPath == 0) return branch;
        double keep = 1 - dropPath;
        var kept = draws!.Uniform(branch.shape[0], 1, 1).add_(Number(keep), alpha: Number(1)).floor_().div_(Number(keep));
        return branch * kept.SentTo(branch.device).As(branch.dtype);
    }
}
