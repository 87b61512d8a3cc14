using System.Text.Json;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>
/// What config.json and preprocessor_config.json beside a checkpoint of the Hugging Face Hub say that its tensors do not. Values of the wrong
/// kind count as absent: the tensors decide, and heads that do not divide the width are refused later.
/// </summary>
internal sealed record HubConfig(int? Heads, double? NormEpsilon, ImageNormalization? Normalization, bool IsTimm, FeaturePooling? Pooling)
{
    private const string PreprocessorFile = "preprocessor_config.json";

    /// <summary>Reads the files beside a checkpoint, where there are any.</summary>
    /// <exception cref="InvalidDataException">One is not JSON, or too large to be a configuration.</exception>
    public static HubConfig Beside(string weights)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        using var config = Read(Path.Combine(folder, EncoderCheckpoint.ConfigFile));
        using var preprocessor = Read(Path.Combine(folder, PreprocessorFile));
        if (config is null) return new(null, null, Statistics(preprocessor, "image_mean", "image_std"), false, null);

        var root = config.RootElement;
        bool isTimm = Text(root, "architecture") is not null;
        var pretrained = Property(root, "pretrained_cfg") ?? root;
        return new(
            (Number(root, "num_attention_heads") ?? Number(Property(root, "model_args"), "num_heads")) is { } heads && heads % 1 == 0 && heads is > 0 and <= 256 ? (int)heads : null,
            Number(root, "layer_norm_eps") is { } epsilon and >= 0 and <= 1 ? epsilon : null,
            Statistics(pretrained, "mean", "std") ?? Statistics(preprocessor?.RootElement, "image_mean", "image_std"),
            isTimm,
            isTimm ? Text(root, "global_pool") switch { "avg" => FeaturePooling.Mean, "token" => FeaturePooling.ClassToken, _ => null } : null);
    }

    private static JsonDocument? Read(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return JsonDocument.Parse(BoundedFile.ReadText(path, EncoderConfig.MaxLength, "a configuration"), new() { MaxDepth = 16 });
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not JSON: {e.Message}", e);
        }
    }

    private static JsonElement? Property(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? parent, string name) =>
        Property(parent, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static double? Number(JsonElement? parent, string name) =>
        Property(parent, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out double number) ? number : null;

    private static ImageNormalization? Statistics(JsonDocument? document, string mean, string deviation) =>
        Statistics(document?.RootElement, mean, deviation);

    private static ImageNormalization? Statistics(JsonElement? parent, string mean, string deviation) =>
        Triple(Property(parent, mean)) is { } m && Triple(Property(parent, deviation)) is { } d && d.All(x => x > 0) ? new(m, d) : null;

    private static float[]? Triple(JsonElement? list)
    {
        if (list is not { ValueKind: JsonValueKind.Array } found || found.GetArrayLength() != 3) return null;
        var values = found.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetSingle(out float n) ? n : float.NaN);
        return values.ToArray() is var triple && triple.All(float.IsFinite) ? triple : null;
    }
}
