using System.Globalization;

namespace MaskBias.MLNet.FineTuning;

/// <summary>Layer-wise learning-rate decay (Clark et al., ICLR 2020; BEiT, MAE): the deeper a layer lies below the head, the less it learns.</summary>
internal static class LayerDecay
{
    /// <summary>Layer of a parameter: 0 for the embedding, i + 1 for block i, depth + 1 for what follows.</summary>
    public static int LayerOf(string name, int depth)
    {
        if (name is "cls_token" or "pos_embed" or "register_tokens" || name.StartsWith("patch_embed.", StringComparison.Ordinal)) return 0;
        return name.StartsWith("blocks.", StringComparison.Ordinal)
            ? int.Parse(name.AsSpan(7, name.IndexOf('.', 7) - 7), CultureInfo.InvariantCulture) + 1
            : depth + 1;
    }

    /// <summary>decay^(depth + 1 − layer).</summary>
    public static double Scale(string name, int depth, double decay) => Math.Pow(decay, depth + 1 - LayerOf(name, depth));

    /// <summary>Vectors, the class token and positions take no weight decay.</summary>
    public static bool TakesWeightDecay(string name, long dimensions) => dimensions != 1 && name is not ("cls_token" or "pos_embed" or "register_tokens");
}
