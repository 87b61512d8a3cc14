using System.Numerics.Tensors;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Features of images.</summary>
internal static class EmbeddedImages
{
    private const int ProgressEvery = 100;

    /// <summary>Computes features of unit length; null for an image that cannot be read or whose features are not finite.</summary>
    public static float[]?[] Embed(
        MLContext ml, VisionEncoder encoder, IReadOnlyList<LabelledImage> images, string name, IProgress<string> progress)
    {
        var view = ml.Data.LoadFromEnumerable(images.Select(image => new ImageFolderRow { ImagePath = image.Path }));
        var embed = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions
        {
            InputColumnName = nameof(ImageFolderRow.ImagePath), OnUnreadableImage = UnreadableImage.MissingValue, ApplyOrientation = true,
        });
        var features = new List<float[]?>();
        foreach (float[] row in embed.Fit(view).Transform(view).GetColumn<float[]>("Features"))
        {
            features.Add(row.All(float.IsFinite) ? Unit(row) : null);
            if (features.Count % ProgressEvery == 0 || features.Count == images.Count)
                progress.Report($"{name}: {features.Count} of {images.Count} images");
        }
        return [.. features];
    }

    private static float[] Unit(float[] row)
    {
        TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Norm<float>(row), 1e-12f), row);
        return row;
    }
}
