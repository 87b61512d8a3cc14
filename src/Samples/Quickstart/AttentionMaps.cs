using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>The attention of the class token to the patches, in the last block.</summary>
internal static class AttentionMaps
{
    /// <summary>Computes the maps of a few images.</summary>
    /// <param name="ml">Loads and resizes the images as the saved model does.</param>
    /// <param name="encoder">A plain encoder.</param>
    /// <param name="photos">Images in a column ImagePath.</param>
    /// <returns>Each image as the encoder sees it, and per head one value for each patch, row by row.</returns>
    public static (RgbImage Image, float[][] Heads)[] Of(MLContext ml, VisionEncoder encoder, IDataView photos)
    {
        int size = encoder.ImageSize;
        var pixels = ml.Transforms.LoadImages("Image", imageFolder: null, "ImagePath")
            .Append(ml.Transforms.ResizeImages("Image", size, size, resizing: ImageResizingEstimator.ResizingKind.IsoCrop))
            .Append(ml.Transforms.ExtractPixels("Pixels", "Image"));                // planar R, G, B in [0, 255]
        float[][] images = [.. pixels.Fit(photos).Transform(photos).GetColumn<float[]>("Pixels")];

        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var batch = tensor(images.SelectMany(p => p).ToArray()).view(images.Length, 3, size, size).to(encoder.Device);
        var attention = encoder.Model.LastSelfAttention(encoder.Normalize(batch));  // [B, h, 1 + N, 1 + N]
        var toPatches = attention[.., .., 0, encoder.Model.PrefixTokens..].contiguous().cpu();               // [B, h, N]
        var (heads, patches) = ((int)toPatches.shape[1], (int)toPatches.shape[2]);
        float[][] maps = [.. toPatches.data<float>().ToArray().Chunk(patches)];
        return [.. images.Select((image, i) => (ToRgb(image, size), maps[(i * heads)..((i + 1) * heads)]))];
    }

    private static RgbImage ToRgb(float[] planar, int size)
    {
        int area = size * size;
        byte[] rgb = new byte[3 * area];
        for (int i = 0; i < rgb.Length; i++) rgb[i] = (byte)planar[i % 3 * area + i / 3];
        return new(size, size, rgb);
    }
}
