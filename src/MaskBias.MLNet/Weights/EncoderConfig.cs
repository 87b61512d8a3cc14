using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights;

/// <summary>What an encoder checkpoint says about its weights: everything needed to build the modules that they fill.</summary>
internal sealed record EncoderConfig(
    string Format, int Version, VitOptions Architecture, ImageNormalization Normalization, DinoHeadOptions? Head)
{
    public const string KnownFormat = "maskbias.encoder";
    public const int CurrentVersion = 1;
    public const int MaxLength = 1 << 20;

    // A left-out option would silently take its default, and the weights might still fit (heads): every property must be there.
    private static readonly JsonTypeInfo<EncoderConfig> Json = CompleteJson();

    /// <summary>Describes an encoder.</summary>
    public static EncoderConfig Of(VisionEncoder encoder) =>
        new(KnownFormat, CurrentVersion, encoder.Model.Options, encoder.Normalization, encoder.Head?.Options);

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Parses and checks a configuration, which is not trusted.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from, for errors.</param>
    /// <exception cref="InvalidDataException">It is not a configuration of this version, or a value is not allowed.</exception>
    public static EncoderConfig Parse(string json, string source)
    {
        if (json.Length > MaxLength)
            throw new InvalidDataException($"{source} has {json.Length} characters; at most {MaxLength} are allowed.");
        try
        {
            CheckVersion(json, source);
            var config = JsonSerializer.Deserialize(json, Json) ?? throw new JsonException("it is null.");
            config.Check();
            return config;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source} is not a valid encoder configuration: {e.Message}", e);
        }
    }

    /// <summary>Number of weights of the plain encoder and its head: those of a mask-guided one are a few more.</summary>
    public long CountParameters()
    {
        long width = Architecture.EmbedDim, hidden = (long)(width * Architecture.MlpRatio);
        long patch = 3L * Architecture.PatchSize * Architecture.PatchSize;
        long block = 4 * width + Linear(width, 3 * width) + Linear(width, width) + Linear(width, hidden) + Linear(hidden, width);
        long positions = 1 + (long)Architecture.GridSize * Architecture.GridSize;
        long backbone = width + positions * width + Linear(patch, width) + Architecture.Depth * block + 2 * width;
        if (Head is null) return backbone;
        long middle = Head.Layers == 1
            ? Linear(width, Head.BottleneckDim)
            : Linear(width, Head.HiddenDim) + (Head.Layers - 2) * Linear(Head.HiddenDim, Head.HiddenDim)
                + Linear(Head.HiddenDim, Head.BottleneckDim);
        return backbone + middle + Linear(Head.BottleneckDim, Head.OutDim);

        static long Linear(long inputs, long outputs) => inputs * outputs + outputs;
    }

    // First and alone: a later version may well have other properties.
    private static void CheckVersion(string json, string source)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        string? format = root.TryGetProperty("format", out var name) ? name.GetString() : null;
        if (format != KnownFormat)
            throw new InvalidDataException($"{source} is of format {format ?? "unknown"}; it must be {KnownFormat}.");
        int version = root.TryGetProperty("version", out var number) ? number.GetInt32() : 0;
        if (version != CurrentVersion)
        {
            throw new InvalidDataException($"{source} is of version {version}; this release reads version {CurrentVersion}. "
                + "Update MaskBias.MLNet to read newer ones.");
        }
    }

    private static JsonTypeInfo<EncoderConfig> CompleteJson()
    {
        var resolver = EncoderConfigJson.Default.WithAddedModifier(type =>
        {
            foreach (var property in type.Properties) property.IsRequired = true;
        });
        var options = new JsonSerializerOptions(EncoderConfigJson.Default.Options) { TypeInfoResolver = resolver };
        return (JsonTypeInfo<EncoderConfig>)options.GetTypeInfo(typeof(EncoderConfig));
    }

    private void Check()
    {
        OptionsValidator.Validate(Architecture);
        if (Head is not null) OptionsValidator.Validate(Head);
        if (Normalization.Mean.Count != 3 || Normalization.Deviation.Count != 3 || Normalization.Mean.Any(m => !float.IsFinite(m))
            || Normalization.Deviation.Any(d => !float.IsFinite(d) || d <= 0))
        {
            throw new JsonException($"Normalization is mean [{string.Join(", ", Normalization.Mean)}] and deviation "
                + $"[{string.Join(", ", Normalization.Deviation)}]; it must be three finite numbers each, the deviations greater than 0.");
        }
    }
}
