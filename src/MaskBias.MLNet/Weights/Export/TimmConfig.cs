using System.Text.Json;
using System.Text.Json.Nodes;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.Export;

/// <summary>The config.json that timm expects beside weights: a known architecture, and the arguments that make it this encoder's.</summary>
internal static class TimmConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Of(VisionEncoder encoder)
    {
        var options = encoder.Model.Options;
        // timm reads heads, depth and all else from the arguments; the name only has to be one that it knows, of the same feed-forward kind.
        var arguments = new JsonObject
        {
            ["img_size"] = options.ImageSize, ["patch_size"] = options.PatchSize, ["embed_dim"] = options.EmbedDim,
            ["depth"] = options.Depth, ["num_heads"] = options.Heads, ["mlp_ratio"] = MlpRatio(options),
            ["reg_tokens"] = options.RegisterTokens, ["no_embed_class"] = !options.ClassTokenPosition || options.RegisterTokens > 0,
            ["init_values"] = options.LayerScale is null ? null : JsonValue.Create(1e-5),
        };
        string pool = options.Pooling == FeaturePooling.ClassToken ? "token" : "avg";
        if (options.Pooling == FeaturePooling.Mean) arguments["fc_norm"] = false;
        var config = new JsonObject
        {
            ["architecture"] = options.FeedForward == FeedForwardKind.SwiGlu ? "vit_giant_patch14_dinov2" : "vit_base_patch16_224",
            ["num_classes"] = 0, ["num_features"] = options.EmbedDim, ["global_pool"] = pool,
            ["model_args"] = arguments,
            ["pretrained_cfg"] = new JsonObject
            {
                ["input_size"] = new JsonArray(3, options.ImageSize, options.ImageSize), ["interpolation"] = "bicubic", ["crop_pct"] = 1.0,
                ["mean"] = Numbers(encoder.Normalization.Mean), ["std"] = Numbers(encoder.Normalization.Deviation),
                ["num_classes"] = 0, ["first_conv"] = "patch_embed.proj", ["classifier"] = "head",
            },
        };
        // timm has no name for it; this library reads it.
        if (options.NormEpsilon != VitOptions.DefaultNormEpsilon) config["layer_norm_eps"] = options.NormEpsilon;
        return config.ToJsonString(Indented) + "\n";
    }

    // Its packed SwiGLU takes the width of both halves together.
    private static double MlpRatio(VitOptions options) =>
        options.FeedForward == FeedForwardKind.SwiGlu ? 2.0 * options.HiddenDim / options.EmbedDim : options.MlpRatio;

    private static JsonArray Numbers(IEnumerable<float> values) => [.. values.Select(v => JsonValue.Create(v))];
}
