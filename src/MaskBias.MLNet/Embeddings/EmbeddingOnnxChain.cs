using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Embeddings;

/// <summary>An embedding as a fitted chain of ML.NET's own transformers, which any process with ONNX Runtime can load.</summary>
internal static class EmbeddingOnnxChain
{
    public static void Save(MLContext context, VisionEncoder encoder, ImageColumnKind kind, string input, string output, ModelSaveContext target)
    {
    }

    /// <summary>Builds the chain.</summary>
    /// <param name="context">Makes the transformers.</param>
    /// <param name="model">An ONNX model that maps its input <see cref="PixelsName"/>, [batch, 3, S, S] in [0, 255], to its output <see cref="FeaturesName"/>, [batch, D].</param>
    /// <param name="size">The side S.</param>
    /// <param name="kind">Paths or images.</param>
    /// <param name="input">The column to read.</param>
    /// <param name="output">The column to add; the helper columns are dropped again.</param>
    public static TransformerChain<ITransformer> Build(MLContext context, byte[] model, int size, ImageColumnKind kind, string input, string output)
    {
        string loaded = $"__{output}.image", resized = $"__{output}.resized", pixels = PixelsName(output), features = FeaturesName(output);
        using var stream = new MemoryStream(model);
        string image = kind == ImageColumnKind.Path ? loaded : input;
        var steps = new EstimatorChain<ITransformer>();
        if (kind == ImageColumnKind.Path) steps = steps.Append<ITransformer>(context.Transforms.LoadImages(loaded, null, input));
        return null!;
    }

    public static string PixelsName(string output) => $"__{output}.pixels";

    public static string FeaturesName(string output) => $"__{output}.features";
}
