using System.Numerics.Tensors;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Onnx;

namespace MaskBias.MLNet.Samples.Search.Model;

/// <summary>Finds the model in the files that the command line names.</summary>
internal static class ModelFiles
{
    private const string EncoderFolder = "encoder";         // what the Quickstart calls the checkpoint beside its model
    private const double SmallestCosine = 0.999;

    /// <summary>An encoder's checkpoint: it is exported into the data folder and served from there.</summary>
    public static SearchModel FromEncoder(string checkpoint, string dataFolder)
    {
        var encoder = EncoderCheckpoint.Load(checkpoint);
        try
        {
            string served = Path.Combine(dataFolder, "encoder.onnx");
            OnnxEncoder.Export(encoder, served);
            return new(served, encoder);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>A saved model; the checkpoint of its encoder is the one named, or a folder "encoder" beside it, or none.</summary>
    public static SearchModel FromModel(string model, string? checkpoint)
    {
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(model))!, EncoderFolder);
        checkpoint ??= File.Exists(Path.Combine(beside, EncoderCheckpoint.ConfigFile)) ? beside : null;
        return new(model, checkpoint is null ? null : EncoderCheckpoint.Load(checkpoint));
    }

    /// <summary>Checks that the checkpoint is of the encoder that is served: it must embed a picture alike.</summary>
    /// <exception cref="InvalidDataException">It does not.</exception>
    public static async Task CheckAsync(SearchModel model, IImageEmbedder embedder)
    {
        if (model.Encoder is not { } encoder) return;
        var picture = Gradient(encoder.ImageSize);
        var (served, _) = await embedder.EmbedAsync(ImageInput.FromBytes(picture.ToPng()));
        float[] own = new float[encoder.FeatureDim];
        encoder.Embed(Planar(picture), rows: 1, own);
        if (own.Length == served.Length && TensorPrimitives.CosineSimilarity<float>(own, served) >= SmallestCosine) return;
        throw new InvalidDataException(
            $"The checkpoint is of another encoder than '{model.ServedPath}': the two embed a picture differently.");
    }

    // A gradient, once, twice and three times over the picture in red, green and blue.
    private static RgbImage Gradient(int size)
    {
        int area = size * size;
        return new(size, size, [.. Enumerable.Range(0, 3 * area).Select(i => (byte)(255 * (i / 3 * (1 + i % 3) % area) / area))]);
    }

    private static float[] Planar(RgbImage image)
    {
        int area = image.Width * image.Height;
        return [.. Enumerable.Range(0, 3 * area).Select(i => (float)image.Pixels[3 * (i % area) + i / area])];
    }
}
