using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>Finds an encoder's architecture from the shapes of its tensors, and notes what they do not tell.</summary>
internal sealed class ArchitectureInference
{
    private const string Backbone = CheckpointReader.Backbone, Head = CheckpointReader.Head, Decoder = CheckpointReader.Decoder;

    private readonly CheckpointReader reader;
    private readonly MappedTensors tensors;
    private readonly CheckpointLoadOptions options;
    private readonly HubConfig hub;
    private readonly List<string> assumptions = [];

    public ArchitectureInference(CheckpointReader reader, CheckpointLoadOptions options)
    {
        (this.reader, this.options) = (reader, options);
        tensors = reader.Tensors;
        hub = HubConfig.Beside(tensors.Path, Shape("cls_token", 3)[2], Depth(Backbone + "blocks."));
        if (hub.LeftAside is { } reason) assumptions.Add(reason);
    }

    /// <summary>Describes everything that the file holds of an encoder.</summary>
    /// <exception cref="InvalidDataException">The shapes are not those of a vision transformer.</exception>
    public CheckpointDescription Describe()
    {
        var architecture = Architecture();
        var normalization = options.Normalization ?? hub.Normalization;
        if (normalization is null) assumptions.Add("pixel statistics of ImageNet");
        var layout = reader.Layout == CheckpointLayout.Dino && hub.IsTimm ? CheckpointLayout.Timm : reader.Layout;
        return new(tensors.Path, layout, layout == reader.Layout ? reader.Summary : "timm ViT or DeiT", architecture,
            normalization ?? ImageNormalization.ImageNet, HeadOptions(), DecoderOptions(),
            SafetensorsEntry.CountWeights(tensors.Entries), assumptions, tensors.LeftOut);
    }

    private VitOptions Architecture()
    {
        long[] patch = Shape("patch_embed.proj.weight", 4), token = Shape("cls_token", 3), positions = Shape("pos_embed", 3);
        long width = token[2];
        if (patch[1] != 3 || patch[2] != patch[3])
            throw Fault($"patch_embed.proj.weight is [{string.Join(", ", patch)}]; it must be [D, 3, p, p], for square patches of R, G, B");
        int registers = tensors.Find(Backbone + "register_tokens") is null ? 0 : (int)Shape("register_tokens", 3)[1];
        bool classPosition = !CheckpointReader.IsSquare(positions[1]) || positions[1] == 1;
        long side = (long)Math.Sqrt(classPosition ? positions[1] - 1 : positions[1]);
        if (!CheckpointReader.IsSquare(classPosition ? positions[1] - 1 : positions[1]))
            throw Fault($"pos_embed has {positions[1]} rows; they must be those of a square of patches and of the class token");
        bool gated = tensors.Contains(Backbone + "blocks.0.mlp.w12.weight"), scaled = tensors.Contains(Backbone + "blocks.0.ls1.gamma");
        // A gate has SiLU, whatever is stated.
        if (!gated && hub.Activation is { } activation && activation.Value != "gelu")
        {
            throw Fault($"the activation of its feed-forward layers is '{activation.Value}', says {activation.Source}, and only 'gelu', by the error "
                + "function, is computed here: take weights that were trained with it");
        }
        long hidden = gated ? Shape("blocks.0.mlp.w3.weight", 2)[1] : Shape("blocks.0.mlp.fc1.weight", 2)[0];
        var sizes = new VitOptions
        {
            ImageSize = Size(side * patch[2], "image"), PatchSize = Size(patch[2], "patch"), EmbedDim = Size(width, "width"),
            Depth = Depth(Backbone + "blocks."), Heads = Heads(width),
            FeedForward = gated ? FeedForwardKind.SwiGlu : FeedForwardKind.Mlp,
            LayerScale = scaled ? 1e-5 : null, NormEpsilon = Epsilon(), RegisterTokens = registers, ClassTokenPosition = classPosition,
            Positions = reader.Layout == CheckpointLayout.Mae && reader.HasSinCosPositions() ? PositionKind.SinCos : PositionKind.Learned,
            PositionResampling = Resampling(registers), Pooling = Pooling(),
        };
        sizes.MlpRatio = Ratio(sizes, hidden);
        return Buildable(sizes);
    }

    private T Buildable<T>(T found) where T : class
    {
        try
        {
            return OptionsValidator.Validate(found);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{tensors.Path} is not the checkpoint of an encoder that can be built: {e.Message}", e);
        }
    }

    private int Heads(long width)
    {
        if (options.Heads is { } given) return given;
        if (hub.Heads is { } stated) return stated;
        if (width is not (1280 or 1408 or 1664) && width % 64 != 0)
        {
            throw Fault($"it does not say how many attention heads there are, and the width {width} is not one of a known encoder: "
                + "set CheckpointLoadOptions.Heads");
        }
        int heads = width is 1280 or 1408 or 1664 ? 16 : (int)(width / 64);
        assumptions.Add($"{heads} attention heads, as published encoders of width {width} have");
        return heads;
    }

    private double Epsilon()
    {
        if ((options.NormEpsilon ?? hub.NormEpsilon) is { } known) return known;
        double usual = reader.Layout == CheckpointLayout.HuggingFaceVit ? 1e-12 : VitOptions.DefaultNormEpsilon;
        assumptions.Add(FormattableString.Invariant($"norm epsilon {usual}, the default of the code that the layout is from"));
        return usual;
    }

    private PositionResampling Resampling(int registers) => options.PositionResampling ?? reader.Layout switch
    {
        CheckpointLayout.Timm => PositionResampling.Antialiased,
        CheckpointLayout.Dino when hub.IsTimm => PositionResampling.Antialiased,
        CheckpointLayout.Mae or CheckpointLayout.HuggingFaceVit => PositionResampling.Size,
        CheckpointLayout.HuggingFaceDinoV2 => registers > 0 ? PositionResampling.Antialiased : PositionResampling.Size,
        CheckpointLayout.DinoV2 when registers > 0 => PositionResampling.Antialiased,
        _ => PositionResampling.Offset,
    };

    private FeaturePooling Pooling()
    {
        if (options.Pooling is { } given) return given;
        if (reader.NormalizesMean) return FeaturePooling.NormalizedMean;
        if (hub.Pooling is { } stated) return stated;
        assumptions.Add("the class token as the features, since no pooling is stated: CheckpointLoadOptions.Pooling sets another");
        return FeaturePooling.ClassToken;
    }

    // The ratio that gives the hidden width after rounding: the usual 4 where it does.
    private double Ratio(VitOptions sizes, long hidden)
    {
        double factor = sizes.FeedForward == FeedForwardKind.SwiGlu ? 1.5 : 1;
        foreach (double ratio in (double[])[4, hidden * factor / sizes.EmbedDim, (hidden * factor + 0.5) / sizes.EmbedDim])
        {
            sizes.MlpRatio = ratio;
            if (ratio is > 0 and <= 1024 && sizes.HiddenDim == hidden) return ratio;
        }
        throw Fault($"its feed-forward layers are {hidden} wide, which no MlpRatio of a {sizes.FeedForward} gives");
    }

    private DinoHeadOptions? HeadOptions()
    {
        if (!tensors.Contains(Head + "last_layer.weight_v")) return null;
        long[] prototypes = [.. tensors.Shape(Head + "last_layer.weight_v")];
        bool single = tensors.Contains(Head + "mlp.weight"), normalized = tensors.Contains(Head + "mlp.1.running_mean");
        int layers = single ? 1 : tensors.Entries.Count(e => e.Name.StartsWith(Head + "mlp.", StringComparison.Ordinal)
            && e.Name.EndsWith(".weight", StringComparison.Ordinal) && e.Shape.Count == 2);
        if (prototypes.Length != 2) throw Fault($"last_layer.weight_v is [{string.Join(", ", prototypes)}]; it must be [K, bottleneck]");
        return Buildable(new DinoHeadOptions
        {
            OutDim = Size(prototypes[0], "prototype count"), BottleneckDim = Size(prototypes[1], "bottleneck"), Layers = Math.Max(1, layers),
            HiddenDim = single ? new DinoHeadOptions().HiddenDim : Size(Shape("mlp.0.weight", 2, Head)[0], "hidden layer"),
            UseBatchNorm = normalized, NormalizeLastLayer = HasUnitLengths(),
        });
    }

    // Magnitudes that are all 1 have not been trained.
    private bool HasUnitLengths()
    {
        using var scope = NewDisposeScope();
        return tensors.Contains(Head + "last_layer.weight_g")
            && tensors.Read(Head + "last_layer.weight_g").eq(Number(1)).all().item<bool>();
    }

    private MaeDecoderOptions? DecoderOptions()
    {
        if (!tensors.Contains(Decoder + "decoder_embed.weight")) return null;
        long width = Shape("decoder_embed.weight", 2, Decoder)[0], hidden = Shape("decoder_blocks.0.mlp.fc1.weight", 2, Decoder)[0];
        var sizes = new MaeDecoderOptions
        {
            EmbedDim = Size(width, "decoder"), Depth = Depth(Decoder + "decoder_blocks."), Heads = DecoderHeads(width),
            MlpRatio = (double)hidden / width,
        };
        return Buildable(sizes);
    }

    private int DecoderHeads(long width)
    {
        if (options.DecoderHeads is { } given) return given;
        int heads = width % 16 == 0 ? 16 : (int)Math.Max(1, width / 32);
        if (width % heads != 0)
        {
            throw Fault($"it does not say how many attention heads its decoder has, and the usual {heads} do not divide the width {width}: "
                + "set CheckpointLoadOptions.DecoderHeads");
        }
        assumptions.Add($"{heads} attention heads in the decoder");
        return heads;
    }

    // Blocks 0, 1, 2, ...
    private int Depth(string blocks)
    {
        int depth = 0;
        while (tensors.Contains($"{blocks}{depth}.norm1.weight")) depth++;
        return depth;
    }

    private int Size(long value, string what) =>
        value is > 0 and <= 1 << 24 ? (int)value : throw Fault($"its {what} size would be {value}");

    private long[] Shape(string name, int rank, string part = Backbone)
    {
        long[] shape = [.. tensors.Shape(part + name)];
        return shape.Length == rank ? shape : throw Fault($"{name} is [{string.Join(", ", shape)}]; it must have {rank} dimensions");
    }

    private InvalidDataException Fault(string problem) => new($"{tensors.Path} cannot be loaded: {problem}.");
}
