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
        bool isGuess = checkpoint is null;
        checkpoint ??= File.Exists(Path.Combine(beside, EncoderCheckpoint.ConfigFile)) ? beside : null;
        return new(model, checkpoint is null ? null : EncoderCheckpoint.Load(checkpoint), checkpoint, isGuess);
    }

    /// <summary>
    /// The encoder that shows where the model looks. It must embed a picture alike; one that nobody named and does not is left out.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="embedder">Serves it.</param>
    /// <param name="note">Receives why there is none, or that it could not be checked.</param>
    /// <exception cref="InvalidDataException">The checkpoint that was named is of another encoder.</exception>
    public static async Task<VisionEncoder?> EncoderAsync(SearchModel model, IImageEmbedder embedder, Action<string> note)
    {
        if (model.Encoder is not { } encoder || model.Checkpoint is null) return model.Encoder;         // exported from it
        var picture = Gradient(encoder.ImageSize);
        var (served, _) = await embedder.EmbedAsync(ImageInput.FromBytes(picture.ToPng()));
        float[] own = new float[encoder.FeatureDim];
        encoder.Embed(Planar(picture), rows: 1, own);
        bool canTell = own.Length == served.Length;             // a probe may see other features of the same encoder
        if (canTell && TensorPrimitives.CosineSimilarity<float>(own, served) >= SmallestCosine) return encoder;
        if (model.IsGuess)
        {
            note($"The checkpoint '{model.Checkpoint}' beside the model does not embed as it does: where the model looks is not shown. --encoder names its encoder.");
            return null;
        }
        if (!canTell)
        {
            note($"'{model.ServedPath}' sees {served.Length} features, the encoder '{model.Checkpoint}' gives {own.Length}: it is taken for the model's, and cannot be checked.");
            return encoder;
        }
        throw new InvalidDataException(
            $"The checkpoint '{model.Checkpoint}' is of another encoder than '{model.ServedPath}': the two embed a picture differently.");
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
