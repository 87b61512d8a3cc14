using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>The names of ViT and DINOv2 in Hugging Face's transformers.</summary>
internal static partial class HuggingFaceKeys
{
    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["embeddings.cls_token"] = "cls_token",
        ["embeddings.position_embeddings"] = "pos_embed",
        ["embeddings.register_tokens"] = "register_tokens",
        ["embeddings.mask_token"] = "mask_token",
        ["embeddings.patch_embeddings.projection.weight"] = "patch_embed.proj.weight",
        ["embeddings.patch_embeddings.projection.bias"] = "patch_embed.proj.bias",
        ["layernorm.weight"] = "norm.weight",
        ["layernorm.bias"] = "norm.bias",
    };

    private static readonly Dictionary<string, string> InBlock = new(StringComparer.Ordinal)
    {
        ["layernorm_before"] = "norm1", ["layernorm_after"] = "norm2", ["norm1"] = "norm1", ["norm2"] = "norm2",
        ["attention.output.dense"] = "attn.proj",
        ["intermediate.dense"] = "mlp.fc1", ["output.dense"] = "mlp.fc2",
        ["mlp.fc1"] = "mlp.fc1", ["mlp.fc2"] = "mlp.fc2", ["mlp.weights_in"] = "mlp.w12", ["mlp.weights_out"] = "mlp.w3",
    };

    /// <summary>This library's name of a tensor; null for query, key and value, which are joined, and for names that are not known.</summary>
    public static string? Rename(string name)
    {
        if (Whole.TryGetValue(name, out string? known)) return known;
        if (Layer().Match(name) is not { Success: true } match) return null;
        string block = $"blocks.{match.Groups["layer"].Value}", rest = match.Groups["rest"].Value;
        if (rest == "layer_scale1.lambda1") return $"{block}.ls1.gamma";
        if (rest == "layer_scale2.lambda1") return $"{block}.ls2.gamma";
        int dot = rest.LastIndexOf('.');
        return dot > 0 && InBlock.TryGetValue(rest[..dot], out string? part) ? $"{block}.{part}{rest[dot..]}" : null;
    }

    /// <summary>Joins the rows of query, key and value as <c>attn.qkv</c>, where a name is a query's.</summary>
    /// <returns>The joined name and its sources, or null.</returns>
    public static (string Name, string[] Sources)? Joined(string name) => Query().Match(name) is { Success: true } match
        ? ($"blocks.{match.Groups["layer"].Value}.attn.qkv.{match.Groups["kind"].Value}",
            [name, name.Replace(".query.", ".key."), name.Replace(".query.", ".value.")])
        : null;

    /// <summary>Whether a name is a key's or a value's, which come with the query.</summary>
    public static bool IsKeyOrValue(string name) => KeyOrValue().IsMatch(name);

    [GeneratedRegex(@"^encoder\.layer\.(?<layer>\d{1,4})\.(?<rest>.+)$")]
    private static partial Regex Layer();

    [GeneratedRegex(@"^encoder\.layer\.(?<layer>\d{1,4})\.attention\.attention\.query\.(?<kind>weight|bias)$")]
    private static partial Regex Query();

    [GeneratedRegex(@"^encoder\.layer\.\d{1,4}\.attention\.attention\.(key|value)\.(weight|bias)$")]
    private static partial Regex KeyOrValue();
}
