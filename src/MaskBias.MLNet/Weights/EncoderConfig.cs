using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights;

/// <summary>What an encoder checkpoint says about its weights: everything needed to build the modules that they fill.</summary>
internal sealed record EncoderConfig(
    string Format, int Version, VitOptions Architecture, ImageNormalization Normalization, DinoHeadOptions? Head,
    MaeDecoderOptions? Decoder)
{
    public const string KnownFormat = "maskbias.encoder";
    public const int CurrentVersion = 2;
    public const int MaxLength = 1 << 20;

    // A left-out option would silently take its default, and the weights might still fit (heads): every property must be there.
    private static readonly JsonTypeInfo<EncoderConfig> Json = CompleteJson();

    /// <summary>Describes an encoder.</summary>
    public static EncoderConfig Of(VisionEncoder encoder) =>
        new(KnownFormat, CurrentVersion, encoder.Model.Options, encoder.Normalization, encoder.Head?.Options,
            encoder.Decoder?.Options);

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
            var config = JsonSerializer.Deserialize(ReadVersion(json, source) == 1 ? FromVersionOne(json) : json, Json)
                ?? throw new JsonException("it is null.");
            config.Check();
            return config;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source} is not a valid encoder configuration: {e.Message}", e);
        }
    }

    /// <summary>Number of weights of the plain encoder and its head: those of a mask-guided one are a few more.</summary>
    public static long CountParameters(VitOptions architecture, DinoHeadOptions? head, MaeDecoderOptions? decoder)
    {
        long width = architecture.EmbedDim, registers = architecture.RegisterTokens * width;
        long patch = 3L * architecture.PatchSize * architecture.PatchSize;
        long grid = (long)architecture.GridSize * architecture.GridSize;
        int gates = architecture.FeedForward == FeedForwardKind.SwiGlu ? 2 : 1, scales = architecture.LayerScale is null ? 0 : 2;
        long backbone = Linear(patch, width) + registers
            + Transformer(width, architecture.Depth, architecture.HiddenDim, architecture.PositionCount, gates, scales);
        long prototypes = head is null ? 0 : HeadLayers(head) + Linear(head.BottleneckDim, head.OutDim);
        long pixels = decoder is null ? 0
            : Linear(width, decoder.EmbedDim) + Linear(decoder.EmbedDim, patch)
                + Transformer(decoder.EmbedDim, decoder.Depth, (long)(decoder.EmbedDim * decoder.MlpRatio), 1 + grid, gates: 1, scales: 0);
        return backbone + prototypes + pixels;

        // blocks, final norm, positions, and the class or mask token
        static long Transformer(long d, long depth, long hidden, long positions, int gates, int scales)
        {
            long block = (4 + scales) * d + Linear(d, 3 * d) + Linear(d, d) + Linear(d, gates * hidden) + Linear(hidden, d);
            return depth * block + 2 * d + positions * d + d;
        }

        long HeadLayers(DinoHeadOptions head) => head.Layers == 1
            ? Linear(width, head.BottleneckDim)
            : Linear(width, head.HiddenDim) + (head.Layers - 2) * Linear(head.HiddenDim, head.HiddenDim)
                + Linear(head.HiddenDim, head.BottleneckDim);

        static long Linear(long inputs, long outputs) => inputs * outputs + outputs;
    }

    /// <summary>Whether a text is a configuration of this library, right or wrong, and not one of another.</summary>
    public static bool IsOwn(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("format", out _);
        }
        catch (JsonException)
        {
            return true;
        }
    }

    // First and alone: a later version may well have other properties.
    private static int ReadVersion(string json, string source)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        string? format = root.TryGetProperty("format", out var name) ? name.GetString() : null;
        if (format != KnownFormat)
            throw new InvalidDataException($"{source} is of format {format ?? "unknown"}; it must be {KnownFormat}.");
        int version = 0;
        if (root.TryGetProperty("version", out var number) && !number.TryGetInt32(out version))
            throw new InvalidDataException($"{source}: its version is not a whole number; it must be 1 to {CurrentVersion}.");
        if (version is < 1 or > CurrentVersion)
        {
            throw new InvalidDataException($"{source} is of version {version}; this release reads versions 1 to {CurrentVersion}. "
                + "Update MaskBias.MLNet to read newer ones.");
        }
        return version;
    }

    // Version 1 knew what is the default of later options only, and no decoder.
    private static string FromVersionOne(string json)
    {
        var root = JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false })!.AsObject();
        if (root["architecture"] is JsonObject architecture)
        {
            architecture.Add("feedForward", nameof(FeedForwardKind.Mlp));
            architecture.Add("layerScale", null);
            architecture.Add("normEpsilon", VitOptions.DefaultNormEpsilon);
            architecture.Add("registerTokens", 0);
            architecture.Add("positions", nameof(PositionKind.Learned));
            architecture.Add("classTokenPosition", true);
            architecture.Add("positionResampling", nameof(PositionResampling.Offset));
        }
        root.Add("decoder", null);
        root["version"] = CurrentVersion;
        return root.ToJsonString();
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
        if (Decoder is not null) OptionsValidator.Validate(Decoder);
        if (Normalization.Mean.Count != 3 || Normalization.Deviation.Count != 3 || Normalization.Mean.Any(m => !float.IsFinite(m))
            || Normalization.Deviation.Any(d => !float.IsFinite(d) || d <= 0))
        {
            throw new JsonException($"Normalization is mean [{string.Join(", ", Normalization.Mean)}] and deviation "
                + $"[{string.Join(", ", Normalization.Deviation)}]; it must be three finite numbers each, the deviations greater than 0.");
        }
    }
}
