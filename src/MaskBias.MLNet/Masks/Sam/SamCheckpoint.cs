using System.Globalization;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Loads checkpoints of Segment Anything: the architecture is found from the shapes of the tensors.</summary>
internal static class SamCheckpoint
{
    private const int MaxNames = 10, MaxBlocks = 256;
    private const string Encoder = "image_encoder.", Blocks = "image_encoder.blocks.", Decoder = "mask_decoder.";
    private const string Layers = "mask_decoder.transformer.layers.", IouHead = "mask_decoder.iou_prediction_head.layers.";

    public static SamModel Load(string path, int? decoderHeads)
    {
        using var file = Open(path);
        var architecture = Infer(file, decoderHeads);
        var model = WeightLayers.WithoutStartValues(() => new SamModel(architecture));
        try
        {
            StateLoader.Load([("", model)], file);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public static SamOptions Describe(string path, int? decoderHeads)
    {
        using var file = Open(path);
        return Infer(file, decoderHeads);
    }

    private static ITensorSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no Segment Anything checkpoint at {path}.", path);
        return TensorFile.Open(path);
    }

    private static SamOptions Infer(ITensorSource file, int? decoderHeads)
    {
        var shapes = file.Entries.ToDictionary(e => e.Name, e => e.Shape, StringComparer.Ordinal);
        if (!shapes.Keys.Any(n => n.StartsWith(Encoder, StringComparison.Ordinal)))
        {
            string known = string.Join(", ", shapes.Keys.Take(MaxNames));
            throw new InvalidDataException(
                $"{file.Path} is not a checkpoint of Segment Anything: none of its {shapes.Count} tensors is named {Encoder}…; they are "
                + $"{known}{(shapes.Count > MaxNames ? ", …" : "")}.");
        }

        int Size(string name, int rank, int dimension)
        {
            if (!shapes.TryGetValue(name, out var shape))
                throw Fault(file, $"{name} is missing.");
            if (shape.Count != rank || shape[dimension] is < 1 or > 1 << 24)
                throw Fault(file, $"{name} is [{string.Join(", ", shape)}].");
            return (int)shape[dimension];
        }

        // So many layers as the largest number says, each of which must be there: a name alone must not make us build any.
        int Depth(string layers, string weight)
        {
            int depth = Count(shapes.Keys, layers);
            for (int i = 0; i < depth; i++) Size($"{layers}{i}.{weight}", 2, 0);
            return depth;
        }

        int depth = Depth(Blocks, "attn.rel_pos_h"), headDim = Size(Blocks + "0.attn.rel_pos_h", 2, 1);
        int width = Size(Encoder + "pos_embed", 4, 3), grid = Size(Encoder + "pos_embed", 4, 1);
        int patch = Size(Encoder + "patch_embed.proj.weight", 4, 2), iouDepth = Math.Max(1, Depth(IouHead, "weight"));
        // 2S − 1 rows for windows, or maps, of S by S
        int[] sides = [.. Enumerable.Range(0, depth).Select(i => (Size($"{Blocks}{i}.attn.rel_pos_h", 2, 0) + 1) / 2)];
        var architecture = new SamOptions
        {
            ImageSize = (int)Math.Min((long)grid * patch, int.MaxValue), PatchSize = patch, EmbedDim = width, Depth = depth,
            Heads = width / headDim, MlpDim = Size(Blocks + "0.mlp.lin1.weight", 2, 0),
            WindowSize = sides.FirstOrDefault(s => s != grid, grid),
            GlobalAttentionBlocks = [.. Enumerable.Range(0, depth).Where(i => sides[i] == grid)],
            PromptDim = Size(Encoder + "neck.0.weight", 4, 0), MaskPromptDim = Size("prompt_encoder.mask_downscaling.3.weight", 4, 0),
            DecoderDepth = Depth(Layers, "mlp.lin1.weight"), DecoderHeads = decoderHeads ?? new SamOptions().DecoderHeads,
            DecoderMlpDim = Size(Layers + "0.mlp.lin1.weight", 2, 0),
            IouHeadDepth = iouDepth, IouHeadDim = iouDepth > 1 ? Size(IouHead + "0.weight", 2, 0) : new SamOptions().IouHeadDim,
            MultimaskOutputs = Size(Decoder + "mask_tokens.weight", 2, 0) - 1,
        };
        try
        {
            OptionsValidator.Validate(architecture);
        }
        catch (ArgumentException e)
        {
            throw Fault(file, e.Message, e);
        }
        CheckSize(file, architecture);
        return architecture;
    }

    private static InvalidDataException Fault(ITensorSource file, string fault, Exception? inner = null) =>
        new($"{file.Path} cannot be loaded as Segment Anything: {fault}", inner);

    // Before anything is built: a small file must not make us allocate a huge model. What is a little off is listed by name later.
    private static void CheckSize(ITensorSource file, SamOptions architecture)
    {
        const long Slack = 1 << 18;
        long held = SafetensorsEntry.CountWeights(file.Entries);
        long described = architecture.EstimateParameters();
        if (described > 2 * held + Slack)
            throw new InvalidDataException($"{file.Path} holds {held} weights; their shapes describe a model of about {described}.");
    }

    // One more than the largest number that follows the prefix.
    private static int Count(IEnumerable<string> names, string prefix)
    {
        int count = 0;
        foreach (string name in names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string number = name[prefix.Length..].Split('.')[0];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
                count = Math.Max(count, Math.Min(index, MaxBlocks) + 1);
        }
        return count;
    }
}
