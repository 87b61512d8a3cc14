using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>Features of images, those of nearest neighbours and those of linear probes in one pass.</summary>
internal static class Embedder
{
    private const int Batch = 128, LastBlocks = 4;

    /// <summary>Computes features.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="images">The images.</param>
    /// <param name="masks">Masks that guide the encoder, or null.</param>
    /// <param name="counted">Which masks count.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>For each image the encoder's own features, and class tokens of the last blocks with the mean of the patches.</returns>
    public static Features[] Embed(
        MLContext ml, VisionEncoder encoder, IReadOnlyList<Photo> images, byte[][]? masks, MaskTokenOptions counted,
            CancellationToken cancellation)
    {
        var rows = ml.Data.LoadFromEnumerable(images.Select((image, i) =>
            new MaskedPhoto { ImagePath = image.ImagePath, Label = image.Label, Masks = masks?[i] ?? [] }));
        var embed = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions
        {
            InputColumnName = nameof(Photo.ImagePath), MaskColumnName = masks is null ? null : nameof(MaskedPhoto.Masks), Masks = counted,
            BatchSize = Batch,
            Blocks = new() { LastBlocks = LastBlocks, AppendPatchMean = true }, ApplyOrientation = true,
        });
        using var transformer = embed.Fit(rows);
        int width = encoder.Model.Options.EmbedDim;
        bool isMean = encoder.Model.Options.Pooling != FeaturePooling.ClassToken;
        var features = new List<Features>();
        foreach (float[] all in transformer.Transform(rows).GetColumn<float[]>("Features"))
        {
            cancellation.ThrowIfCancellationRequested();
            // The last class token stands before the mean of the patches.
            features.Add(new(isMean ? all[^width..] : all[^(2 * width)..^width], all));
        }
        return [.. features];
    }

    /// <summary>What an encoder says of an image.</summary>
    /// <param name="Own">The encoder's own feature vector.</param>
    /// <param name="Blocks">Class tokens of its last blocks, and the mean of the patches.</param>
    internal sealed record Features(float[] Own, float[] Blocks);
}
