using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// The positive and negative relation between all pairs of tokens, [B, N+1, N+1] each; the rows and columns of the class token and of
/// registers, which come before the patches, are 0.
/// A relation that the bias does not use is null.
/// </summary>
internal sealed record PatchRelations(Tensor? Positive, Tensor? Negative)
{
    private const long CachedElements = 1 << 18, LaunchedElements = 1 << 25;

    /// <summary>Computes the relations from mask token vectors.</summary>
    /// <param name="maskTokens">Share of each patch that each mask covers, [B, K, N], in [0, 1].</param>
    /// <param name="relation">Which relations to compute.</param>
    /// <param name="kind">How they are measured.</param>
    /// <param name="prefixTokens">Tokens before the patches: the class token and registers.</param>
    /// <remarks>
    /// R⁺_ij = max_k min(m_ik, m_jk); R⁻_ij = min(max_k m_ik, max_k m_jk) − R⁺_ij. Both are symmetric, do not depend on the order of
    /// the masks, and are 0 where a patch is covered by none. The maximum runs mask by mask, or by few masks: no [B, N, N, K] tensor is built.
    /// </remarks>
    public static PatchRelations From(Tensor maskTokens, MaskRelation relation, RelationKind kind, int prefixTokens = 1)
    {
        if (maskTokens.dim() != 3)
            throw new ArgumentException($"Mask token vectors have {maskTokens.dim()} dimensions; they must be [batch, masks, patches].");
        using var scope = NewDisposeScope();
        using var gradients = no_grad();                       // masks are data
        var same = kind == RelationKind.Cosine ? Cosine(maskTokens) : SharedMask(maskTokens);   // [B, N, N]
        if (kind == RelationKind.Binary) same = (same >= Number(0.5)).to_type(maskTokens.dtype);
        Tensor? different = null;
        if (relation != MaskRelation.Positive)
        {
            var covered = maskTokens.shape[1] == 0 ? zeros_like(same[.., 0]) : maskTokens.amax([1]);        // [B, N]
            if (kind == RelationKind.Binary) covered = (covered >= Number(0.5)).to_type(maskTokens.dtype);
            different = (minimum(covered.unsqueeze(2), covered.unsqueeze(1)) - same).clamp_(Number(0), Number(1));
        }
        return new(
            relation == MaskRelation.Negative ? null : WithPrefix(same, prefixTokens).MoveToOuterDisposeScope(),
            different is null ? null : WithPrefix(different, prefixTokens).MoveToOuterDisposeScope());
    }

    /// <summary>The relations in another precision.</summary>
    internal PatchRelations As(ScalarType type) => new(Positive?.to_type(type), Negative?.to_type(type));

    // On the CPU a few images at a time: their relations then stay in the cache over all masks, which is up to three times as fast.
    private static Tensor SharedMask(Tensor maskTokens)
    {
        long images = Math.Max(1, CachedElements / Math.Max(1, maskTokens.shape[2] * maskTokens.shape[2]));
        if (maskTokens.device_type != DeviceType.CPU) return SharedMaskInLaunches(maskTokens, LaunchedElements);
        if (images >= maskTokens.shape[0]) return SharedMaskOfAll(maskTokens);
        return cat(maskTokens.split(images).Select(SharedMaskOfAll).ToList());
    }

    /// <summary>max_k min(m_ik, m_jk), several masks at a time: on a device a launch costs more than what one mask needs.</summary>
    /// <param name="maskTokens">[B, K, N].</param>
    /// <param name="elements">Bound of the memory that is lent, in elements.</param>
    internal static Tensor SharedMaskInLaunches(Tensor maskTokens, long elements)
    {
        long batch = maskTokens.shape[0], patches = maskTokens.shape[2], together = Math.Max(1, elements / Math.Max(1, batch * patches * patches));
        var result = zeros(batch, patches, patches, maskTokens.dtype, maskTokens.device);
        if (maskTokens.shape[1] == 0) return result;
        foreach (var masks in maskTokens.split(together, dim: 1))                            // [B, k, N]
        {
            using var both = minimum(masks.unsqueeze(3), masks.unsqueeze(2));                // [B, k, N, N]
            using var shared = both.amax([1]);
            using var previous = result;
            result = maximum(previous, shared);
        }
        return result;
    }

    private static Tensor SharedMaskOfAll(Tensor maskTokens)
    {
        long batch = maskTokens.shape[0], patches = maskTokens.shape[2];
        var result = zeros(batch, patches, patches, maskTokens.dtype, maskTokens.device);
        for (long k = 0; k < maskTokens.shape[1]; k++)
        {
            using var mask = maskTokens.select(1, k);                                        // [B, N]
            using var rows = mask.unsqueeze(2);
            using var columns = mask.unsqueeze(1);
            using var both = minimum(rows, columns);                                         // [B, N, N]
            using var previous = result;                                                     // one live copy per step
            result = maximum(previous, both);
        }
        return result;
    }

    private static Tensor Cosine(Tensor maskTokens)
    {
        var norm = maskTokens.pow(Number(2)).sum(1, keepdim: true).sqrt_().clamp_min_(Number(1e-12));      // [B, 1, N]
        var unit = maskTokens / norm;
        return matmul(unit.transpose(1, 2), unit);
    }

    private static Tensor WithPrefix(Tensor relation, long count) => nn.functional.pad(relation, [count, 0, count, 0]);
}
