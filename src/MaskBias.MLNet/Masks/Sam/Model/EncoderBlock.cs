using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>A pre-norm block of the image encoder: x ← x + attention(norm1 x); x ← x + mlp(norm2 x).</summary>
internal sealed class EncoderBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly WindowAttention attn;
    private readonly LayerNorm norm2;
    private readonly FeedForward mlp;

    public EncoderBlock(SamOptions options, bool isWindowed) : base(nameof(EncoderBlock))
    {
        norm1 = nn.LayerNorm(options.EmbedDim, eps: 1e-6);
        attn = new WindowAttention(options.EmbedDim, options.Heads, isWindowed ? options.WindowSize : options.GridSize);
        norm2 = nn.LayerNorm(options.EmbedDim, eps: 1e-6);
        mlp = new FeedForward(options.EmbedDim, options.MlpDim, rectifies: false);
        RegisterComponents();
    }

    // [B, G, G, D] -> [B, G, G, D]
    public override Tensor forward(Tensor map)
    {
        using var scope = NewDisposeScope();
        var mixed = attn.forward(norm1.forward(map)).add_(map, alpha: Number(1));
        return mlp.forward(norm2.forward(mixed)).add_(mixed, alpha: Number(1)).MoveToOuterDisposeScope();
    }
}
