using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Embeddings;

/// <summary>An embedding as a fitted chain of ML.NET's own transformers, which any process with ONNX Runtime can load.</summary>
internal static class EmbeddingOnnxChain
{
    // A name that no system has a file of.
    private const string NoFile = "/dev/null/<no image: the path is empty>";

    /// <summary>Name that the ONNX model's input must have: ML.NET matches columns to a model by name.</summary>
    public static string PixelsName(string output) => $"__{output}.pixels";

    /// <summary>Name that the ONNX model's output must have.</summary>
    public static string FeaturesName(string output) => $"__{output}.features";

    /// <summary>Builds the chain; the caller disposes it.</summary>
    /// <param name="context">Makes the transformers.</param>
    /// <param name="model">An ONNX model from pixels [batch, 3, S, S] in [0, 255] to features [batch, D], named as above.</param>
    /// <param name="size">The side S.</param>
    /// <param name="kind">Whether the input holds paths or images.</param>
    /// <param name="input">The column to read.</param>
    /// <param name="output">The column to add; all helper columns are dropped again.</param>
    public static TransformerChain<ITransformer> Build(
        MLContext context, byte[] model, int size, ImageColumnKind kind, string input, string output)
    {
        string path = $"__{output}.path", loaded = $"__{output}.image", resized = $"__{output}.resized";
        string pixels = PixelsName(output), features = FeaturesName(output);
        NativeEnvironment.KeepOnnxRuntimePrivate();
        var transforms = context.Transforms;
        List<string> helpers = [resized, pixels, features];
        List<IEstimator<ITransformer>> steps = [];
        if (kind == ImageColumnKind.Path)
        {
            helpers.AddRange([path, loaded]);
            // Of an empty path LoadImages makes no image and no error, and the features would be those of black or of the row before.
            steps.Add(transforms.Expression(path, $"x : len(x) > 0 ? x : \"{NoFile}\"", input));
            steps.Add(transforms.LoadImages(loaded, imageFolder: null, path));
        }
        string image = kind == ImageColumnKind.Path ? loaded : input;
        var (crop, center) = (ImageResizingEstimator.ResizingKind.IsoCrop, ImageResizingEstimator.Anchor.Center);
        steps.Add(transforms.ResizeImages(resized, size, size, image, crop, center));
        steps.Add(transforms.ExtractPixels(pixels, resized));     // planar R, G, B in [0, 255]
        steps.Add(OnnxLoading.Retried(() => transforms.ApplyOnnxModel(features, pixels, new MemoryStream(model))));
        // A copy that is Vector<Single, D>: the model gives Vector<Single, 1, D>, which trainers tell apart and plain copies keep.
        steps.Add(transforms.Expression(output, "x : x", features));
        steps.Add(transforms.DropColumns([.. helpers]));
        return Fit(EmptyData(context, kind, input), steps);
    }

    private static TransformerChain<ITransformer> Fit(IDataView data, List<IEstimator<ITransformer>> steps)
    {
        var fitted = new List<ITransformer>();
        foreach (var step in steps)
        {
            fitted.Add(step.Fit(data));
            data = fitted[^1].Transform(data);
        }
        return new TransformerChain<ITransformer>([.. fitted]);
    }

    private static IDataView EmptyData(MLContext context, ImageColumnKind kind, string column) =>
        kind == ImageColumnKind.Path ? EmptyData<PathRow>(context, column) : EmptyData<ImageRow>(context, column);

    private static IDataView EmptyData<TRow>(MLContext context, string column) where TRow : class
    {
        var schema = SchemaDefinition.Create(typeof(TRow));
        schema[0].ColumnName = column;
        return context.Data.LoadFromEnumerable(Array.Empty<TRow>(), schema);
    }

    private sealed class PathRow
    {
        public string? Path { get; set; }
    }

    private sealed class ImageRow
    {
        [ImageType(1, 1)]       // ResizeImages takes any size
        public MLImage? Image { get; set; }
    }
}
