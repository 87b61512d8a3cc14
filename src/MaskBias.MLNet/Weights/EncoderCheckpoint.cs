using System.Text;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.KeyMaps;
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

    private const string PyTorchFile = "pytorch_model.bin";
    private const string Extension = ".safetensors";
    private const string BackbonePrefix = CheckpointReader.Backbone;
    private const string HeadPrefix = CheckpointReader.Head;
    private const string DecoderPrefix = CheckpointReader.Decoder;

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

    /// <summary>
    /// Loads an encoder to the CPU, in evaluation mode: a checkpoint of this library, or a public one, whose layout is recognised
    /// (<see cref="CheckpointLayout"/>).
    /// </summary>
    /// <param name="path">A folder with <c>model.safetensors</c> or <c>pytorch_model.bin</c>, or a file of weights.</param>
    /// <param name="options">What a public checkpoint does not say itself; null for what is usual.</param>
    /// <returns>The encoder, owned by the caller. <see cref="Describe"/> says what it was recognised as.</returns>
    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">Configuration or weights are damaged, newer, unknown, or do not fit each other.</exception>
    public static VisionEncoder Load(string path, CheckpointLoadOptions? options = null)
    {
        options = OptionsValidator.Validate(options ?? new());
        var (tensors, found) = Recognize(path, options);
        using var _ = tensors;
        CheckSize(found, tensors);
        var encoder = Build(found, tensors);
        if (options.ImageSize is null && options.PatchSize is null) return encoder;
        using (encoder)
        {
            int patch = options.PatchSize ?? encoder.Model.Options.PatchSize;
            return EncoderResizing.Resize(encoder, options.ImageSize ?? encoder.Model.Options.GridSize * patch, patch);
        }
    }

    /// <summary>Says what a checkpoint is, without loading its weights.</summary>
    /// <param name="path">As for <see cref="Load"/>.</param>
    /// <param name="options">As for <see cref="Load"/>; sizes to resample to have no part in it.</param>
    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">Configuration or weights are damaged, newer or unknown.</exception>
    public static CheckpointDescription Describe(string path, CheckpointLoadOptions? options = null)
    {
        var (tensors, found) = Recognize(path, OptionsValidator.Validate(options ?? new()));
        using var _ = tensors;
        return found;
    }

    private static (ITensorSource Tensors, CheckpointDescription Found) Recognize(string path, CheckpointLoadOptions options)
    {
        TorchRuntime.EnsureLoaded();                        // element types are libtorch's
        var file = OpenWeights(path);
        try
        {
            if (OwnConfig(file) is { } own)
            {
                return (file, new(file.Path, CheckpointLayout.MaskBias, "encoder checkpoint of MaskBias.MLNet", own.Architecture,
                    own.Normalization, own.Head, own.Decoder, SafetensorsEntry.CountWeights(file.Entries), [], []));
            }
            var reader = new CheckpointReader(file, options.Branch);
            return (reader.Tensors, new ArchitectureInference(reader, options).Describe());
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ITensorSource OpenWeights(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string[] candidates = Directory.Exists(path) ? [Path.Combine(path, WeightsFile), Path.Combine(path, PyTorchFile)] : [path];
        string weights = candidates.FirstOrDefault(File.Exists) ?? throw new FileNotFoundException(
            $"There is no encoder checkpoint at {path}: {string.Join(" or ", candidates)} does not exist. "
            + $"Give a folder with {WeightsFile}, or a file of weights.", candidates[0]);
        return TensorFile.Open(weights);
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

    // Null where the file is not this library's.
    private static EncoderConfig? OwnConfig(ITensorSource file)
    {
        if (file.Metadata.TryGetValue(ConfigKey, out string? embedded))
            return EncoderConfig.Parse(embedded, $"{file.Path}, metadata {ConfigKey}");
        // Weights of another layout may lie beside a checkpoint of ours; its configuration is not theirs.
        bool isCheckpoint = Path.GetFileName(file.Path) == WeightsFile
            || file.Entries.Any(e => e.Name.StartsWith(BackbonePrefix, StringComparison.Ordinal));
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, ConfigFile);
        return isCheckpoint && ReadOwnConfig(beside) is { } text ? EncoderConfig.Parse(text, beside) : null;
    }

    /// <summary>The text of a <c>config.json</c> of this library, right or wrong; null where there is none, or another's.</summary>
    /// <exception cref="InvalidDataException">It is too large to be a configuration.</exception>
    internal static string? ReadOwnConfig(string path)
    {
        if (!File.Exists(path)) return null;
        string text = BoundedFile.ReadText(path, EncoderConfig.MaxLength, "a configuration");
        return EncoderConfig.IsOwn(text) ? text : null;
    }

    // Before anything is built: a small file must not make us allocate a huge encoder. What is a little off is listed by name later.
    private static void CheckSize(CheckpointDescription found, ITensorSource tensors)
    {
        const long Slack = 1 << 18;
        long described = EncoderConfig.CountParameters(found.Architecture, found.Head, found.Decoder), held = found.Parameters;
        if (described > 2 * held + Slack)
            throw new InvalidDataException($"{tensors.Path} holds {held} weights; its configuration describes an encoder of {described}.");
    }

    private static VisionEncoder Build(CheckpointDescription found, ITensorSource tensors)
    {
        VisionTransformer? model = null;
        DinoHead? head = null;
        MaeDecoder? decoder = null;
        try
        {
            model = WeightLayers.WithoutStartValues(() => new VisionTransformer(found.Architecture));
            if (found.Head is { } prototypes) head = WeightLayers.WithoutStartValues(() => new DinoHead(model.FeatureDim, prototypes));
            if (found.Decoder is { } pixels) decoder = WeightLayers.WithoutStartValues(() => new MaeDecoder(found.Architecture, pixels));
            StateLoader.Load(Parts(model, head, decoder), tensors);
            return new VisionEncoder(model, head, found.Normalization, decoder);
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
