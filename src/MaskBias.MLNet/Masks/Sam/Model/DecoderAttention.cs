using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Attention from one set of tokens to another, at the full width or half of it.</summary>
internal sealed class DecoderAttention : nn.Module
{
    private readonly int heads;
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear out_proj;

    public DecoderAttention(int width, int inner, int heads) : base(nameof(DecoderAttention))
    {
        this.heads = heads;
        q_proj = nn.Linear(width, inner);
        k_proj = nn.Linear(width, inner);
        v_proj = nn.Linear(width, inner);
        out_proj = nn.Linear(inner, width);
        RegisterComponents();
    }

    /// <summary>
    /// queries [B, N, P], keys and values [B, M, P] -> [B, N, P]. Either side may have one row for all prompts, which is then computed
    /// once.
    /// </summary>
    public Tensor Forward(Tensor queries, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        long batch = Math.Max(queries.shape[0], keys.shape[0]);
        var query = Split(q_proj.forward(queries)).expand(batch, -1, -1, -1);
        var key = Split(k_proj.forward(keys)).expand(batch, -1, -1, -1);
        var value = Split(v_proj.forward(values)).expand(batch, -1, -1, -1);
        var mixed = nn.functional.scaled_dot_product_attention(query, key, value);
        return out_proj.forward(mixed.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }

    private Tensor Split(Tensor tokens) => tokens.view(tokens.shape[0], tokens.shape[1], heads, -1).transpose(1, 2);      // [B, h, N, d]
}
