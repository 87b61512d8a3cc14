using System.Text.Json;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>
/// What config.json and preprocessor_config.json beside a checkpoint of the Hugging Face Hub say that its tensors do not. Values of the wrong
/// kind count as absent: the tensors decide, and heads that do not divide the width are refused later.
/// </summary>
internal sealed record HubConfig
{
    private const string PreprocessorFile = "preprocessor_config.json";

    /// <summary>Number of attention heads.</summary>
    public int? Heads { get; private init; }

    /// <summary>The ε of every LayerNorm.</summary>
    public double? NormEpsilon { get; private init; }

    /// <summary>Pixel statistics.</summary>
    public ImageNormalization? Normalization { get; private init; }

    /// <summary>What the features are.</summary>
    public FeaturePooling? Pooling { get; private init; }

    /// <summary>The activation of the feed-forward layers, and the file and name that say it.</summary>
    public (string Value, string Source)? Activation { get; private init; }

    /// <summary>Whether the configuration is timm's.</summary>
    public bool IsTimm { get; private init; }

    /// <summary>Why the files are not taken; null where they are, or there are none.</summary>
    public string? LeftAside { get; private init; }

    /// <summary>Reads the files beside a checkpoint, where there are any and they are of weights of this width and depth.</summary>
    /// <exception cref="InvalidDataException">One is not JSON, or too large to be a configuration.</exception>
    public static HubConfig Beside(string weights, long width, int depth)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(weights))!, path = Path.Combine(folder, EncoderCheckpoint.ConfigFile);
        using var config = Read(path);
        using var preprocessor = Read(Path.Combine(folder, PreprocessorFile));
        if (config is null) return new() { Normalization = Statistics(preprocessor, "image_mean", "image_std") };

        var root = config.RootElement;
        var arguments = Property(root, "model_args");
        string? misfit = Misfit(root, "hidden_size", width) ?? Misfit(root, "num_features", width) ?? Misfit(arguments, "embed_dim", width)
            ?? Misfit(root, "num_hidden_layers", depth) ?? Misfit(arguments, "depth", depth);
        if (misfit is not null) return new() { LeftAside = $"nothing from {path}, which is of another encoder: {misfit}" };

        bool isTimm = Text(root, "architecture") is not null;
        double? heads = Number(root, "num_attention_heads") ?? Number(arguments, "num_heads");
        return new()
        {
            Heads = heads % 1 == 0 && heads is > 0 and <= 256 ? (int)heads : null,
            NormEpsilon = Number(root, "layer_norm_eps") is { } epsilon and >= 0 and <= 1 ? epsilon : null,
            Normalization = Statistics(Property(root, "pretrained_cfg") ?? root, "mean", "std") ?? Statistics(preprocessor, "image_mean", "image_std"),
            Pooling = isTimm ? Text(root, "global_pool") switch { "avg" => FeaturePooling.Mean, "token" => FeaturePooling.ClassToken, _ => null } : null,
            Activation = Activate(root, "hidden_act", path) ?? Activate(arguments, "act_layer", path),
            IsTimm = isTimm,
        };
    }

    private static (string Value, string Source)? Activate(JsonElement? parent, string name, string path) =>
        Text(parent, name) is { } value ? (value, $"{name} in {path}") : null;

    private static string? Misfit(JsonElement? parent, string name, long actual) =>
        Number(parent, name) is { } stated && stated != actual ? FormattableString.Invariant($"its {name} is {stated}, and that of the weights {actual}") : null;

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
