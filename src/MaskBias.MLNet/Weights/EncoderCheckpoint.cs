using System.Text;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>
/// Saves and loads encoders: a folder with <c>config.json</c> (architecture, normalisation, head and decoder, readable) and
/// <c>model.safetensors</c> (weights <c>backbone.*</c>, <c>head.*</c> and <c>decoder.*</c>), or one <c>.safetensors</c> file that holds
/// both.
/// </summary>
/// <remarks>The weights file carries the configuration in its metadata too, and that copy counts: the two can never disagree.</remarks>
public static class EncoderCheckpoint
{
    /// <summary>Name of the readable configuration in a checkpoint folder.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>Name of the weights in a checkpoint folder.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Key of the configuration in the metadata of the weights.</summary>
    public const string ConfigKey = "maskbias.config";

    private const string Extension = ".safetensors";
    private const string BackbonePrefix = "backbone.";
    private const string HeadPrefix = "head.";
    private const string DecoderPrefix = "decoder.";

    /// <summary>Saves an encoder with the head or decoder that it has. An older checkpoint is replaced only by a complete one.</summary>
    /// <param name="encoder">The encoder, on any device.</param>
    /// <param name="path">A folder, created where missing, or a file whose name ends in <c>.safetensors</c>.</param>
    /// <exception cref="InvalidOperationException">The head or the decoder is made for another encoder.</exception>
    public static void Save(VisionEncoder encoder, string path)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (encoder.Head is { } head && head.InputDim != encoder.FeatureDim)
            throw new InvalidOperationException($"The head's InputDim is {head.InputDim}; it must be FeatureDim {encoder.FeatureDim}.");
        if (encoder.Decoder is { } decoder && !decoder.Fits(encoder.Model.Options))
        {
            throw new InvalidOperationException($"The decoder is for tokens of {decoder.InputDim} and {decoder.GridSize}x{decoder.GridSize}"
                + $" patches of {decoder.PatchSize} pixels; the encoder's are others.");
        }

        string config = EncoderConfig.Of(encoder).ToJson();
        bool oneFile = path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);
        var metadata = new Dictionary<string, string> { ["format"] = "pt", [ConfigKey] = config };
        SafetensorsWriter.Write(oneFile ? path : Path.Combine(path, WeightsFile), Weights(encoder), metadata);
        if (!oneFile) AtomicFile.Write(Path.Combine(path, ConfigFile), stream => stream.Write(Encoding.UTF8.GetBytes(config + "\n")));
    }

    /// <summary>Loads an encoder to the CPU, in evaluation mode.</summary>
    /// <param name="path">A checkpoint's folder or its <c>.safetensors</c> file.</param>
    /// <returns>The encoder, owned by the caller.</returns>
    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">Configuration or weights are damaged, newer, or do not fit each other.</exception>
    public static VisionEncoder Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string weights = Directory.Exists(path) ? Path.Combine(path, WeightsFile) : path;
        if (!File.Exists(weights))
        {
            throw new FileNotFoundException($"There is no encoder checkpoint at {path}: {weights} does not exist. "
                + $"Give a folder with {WeightsFile}, or a {Extension} file.", weights);
        }
        using var file = SafetensorsFile.Open(weights);
        var config = ReadConfig(file);
        CheckSize(config, file);
        return Build(config, file);
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Weights(VisionEncoder encoder) =>
        from part in Parts(encoder.Model, encoder.Head, encoder.Decoder)
        from weight in part.Module.state_dict()
        select KeyValuePair.Create(part.Prefix + weight.Key, weight.Value);

    private static List<(string Prefix, nn.Module Module)> Parts(VisionTransformer model, DinoHead? head, MaeDecoder? decoder)
    {
        var parts = new List<(string, nn.Module)> { (BackbonePrefix, model) };
        if (head is not null) parts.Add((HeadPrefix, head));
        if (decoder is not null) parts.Add((DecoderPrefix, decoder));
        return parts;
    }

    private static EncoderConfig ReadConfig(SafetensorsFile file)
    {
        if (file.Metadata.TryGetValue(ConfigKey, out string? embedded))
            return EncoderConfig.Parse(embedded, $"{file.Path}, metadata {ConfigKey}");
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, ConfigFile);
        if (!File.Exists(beside))
        {
            throw new InvalidDataException($"{file.Path} is not an encoder checkpoint: its metadata have no {ConfigKey}, "
                + $"and there is no {ConfigFile} beside it.");
        }
        long length = new FileInfo(beside).Length;
        if (length > EncoderConfig.MaxLength)
            throw new InvalidDataException($"{beside} has {length} bytes; at most {EncoderConfig.MaxLength} are allowed.");
        return EncoderConfig.Parse(File.ReadAllText(beside), beside);
    }

    // Before anything is built: a small file must not make us allocate a huge encoder. What is a little off is listed by name later.
    private static void CheckSize(EncoderConfig config, SafetensorsFile file)
    {
        const long Slack = 1 << 24;
        long described = config.CountParameters(), held = file.Entries.Sum(e => e.Length / SafetensorsTypes.SizeOf(e.DType));
        if (described > 4 * held + Slack)
            throw new InvalidDataException($"{file.Path} holds {held} weights; its configuration describes an encoder of {described}.");
    }

    private static VisionEncoder Build(EncoderConfig config, SafetensorsFile file)
    {
        VisionTransformer? model = null;
        DinoHead? head = null;
        MaeDecoder? decoder = null;
        try
        {
            model = new VisionTransformer(config.Architecture);
            head = config.Head is null ? null : new DinoHead(model.FeatureDim, config.Head);
            decoder = config.Decoder is null ? null : new MaeDecoder(config.Architecture, config.Decoder);
            StateLoader.Load(Parts(model, head, decoder), file);
            return new VisionEncoder(model, head, config.Normalization, decoder);
        }
        catch
        {
            model?.Dispose();
            head?.Dispose();
            decoder?.Dispose();
            throw;
        }
    }
}
