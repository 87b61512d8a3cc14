using MaskBias.MLNet.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// Multi-head self-attention with the mask-guided bias: softmax(QKᵀ/√d + α_h·R⁺ − β_h·R⁻) V. Without relations it is plain attention.
/// </summary>
internal sealed class MaskGuidedAttention : nn.Module<Tensor, PatchRelations?, Tensor>
{
    private readonly int heads;
    private readonly Linear qkv;
    private readonly Linear proj;
    private readonly Parameter? mask_alpha;      // [h] or [1]
    private readonly Parameter? mask_beta;

    public MaskGuidedAttention(int width, int heads, MaskBiasOptions? bias) : base(nameof(MaskGuidedAttention))
    {
        this.heads = heads;
        qkv = WeightLayers.Linear(width, 3 * width);
        proj = WeightLayers.Linear(width, width);
        if (bias is not null)
        {
            long weights = bias.SharedAcrossHeads ? 1 : heads;
            if (bias.Relation != MaskRelation.Negative) mask_alpha = nn.Parameter(full([weights], Number(bias.InitialValue)));
            if (bias.Relation != MaskRelation.Positive) mask_beta = nn.Parameter(full([weights], Number(bias.InitialValue)));
        }
        RegisterComponents();
    }

    /// <summary>Weight of R⁺ per head, or null where the layer has none.</summary>
    public Parameter? Alpha => mask_alpha;

    /// <summary>Weight of R⁻ per head, or null where the layer has none.</summary>
    public Parameter? Beta => mask_beta;

    // tokens [B, N, D] -> [B, N, D]
    public override Tensor forward(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = Project(tokens);
        var bias = Bias(relations);
        // The processor's fused kernel gives no gradient of a bias; what libtorch does instead goes over all pairs more often than needed.
        var mixed = bias is { requires_grad: true, device_type: DeviceType.CPU }
            ? Attend(query, key, value, bias).Mixed
            : nn.functional.scaled_dot_product_attention(query, key, value, attn_mask: bias);
        return Merge(mixed).MoveToOuterDisposeScope();
    }

    /// <summary>The same result written out, together with the attention map [B, h, N, N].</summary>
    public (Tensor Tokens, Tensor Map) ForwardWithMap(Tensor tokens, PatchRelations? relations)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = Project(tokens);
        var (mixed, map) = Attend(query, key, value, Bias(relations));
        return (Merge(mixed).MoveToOuterDisposeScope(), map.MoveToOuterDisposeScope());
    }

    // M = softmax(QKᵀ/√d + B), [B, h, N, N], and M V, [B, h, N, d]
    private static (Tensor Mixed, Tensor Map) Attend(Tensor query, Tensor key, Tensor value, Tensor? bias)
    {
        var logits = matmul(query / Number(Math.Sqrt(query.shape[^1])), key.transpose(-2, -1));
        if (bias is not null) logits.add_(bias, alpha: Number(1));
        var map = softmax(logits, -1);
        return (matmul(map, value), map);
    }

    // B = α_h·R⁺ − β_h·R⁻: [B, h, N, N]
    private Tensor? Bias(PatchRelations? relations)
    {
        var attraction = mask_alpha is not null && relations?.Positive is { } same ? PerHead(mask_alpha, same) : null;
        var repulsion = mask_beta is not null && relations?.Negative is { } different ? PerHead(mask_beta, different) : null;
        return (attraction, repulsion) switch
        {
            (not null, not null) => attraction - repulsion,
            (not null, null) => attraction,
            (null, not null) => -repulsion,
            _ => null,
        };
    }

    // As a product of matrices, whose gradient for the weights is one too: [h, 1] · [B, 1, N·N] -> [B, h, N, N].
    private Tensor PerHead(Parameter weight, Tensor relation)
    {
        var (batch, count) = (relation.shape[0], relation.shape[1]);
        var weights = weight.As(relation.dtype).expand(heads).view(1, heads, 1).expand(batch, heads, 1);
        return bmm(weights, relation.reshape(batch, 1, count * count)).view(batch, heads, count, count);
    }

    private (Tensor Query, Tensor Key, Tensor Value) Project(Tensor tokens)
    {
        var (batch, count, width) = (tokens.shape[0], tokens.shape[1], tokens.shape[2]);
        var parts = qkv.In(tokens).view(batch, count, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0);
        return (parts[0], parts[1], parts[2]);                                              // [B, h, N, d] each
    }

    private Tensor Merge(Tensor heads) => proj.In(heads.transpose(1, 2).flatten(2));   // [B, N, D]
}
