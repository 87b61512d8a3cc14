using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Features of an image's patches, and what is left of them without the place.</summary>
internal static class PatchFeatures
{
    /// <summary>The patches' tokens after the last block, row by row, [N] of [D].</summary>
    /// <param name="encoder">The encoder; it sees the image without masks.</param>
    /// <param name="seen">An image of the encoder's size.</param>
    public static float[][] Of(VisionEncoder encoder, RgbImage seen)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var pixels = tensor(seen.Pixels).view(seen.Height, seen.Width, 3).permute(2, 0, 1).unsqueeze(0).to_type(ScalarType.Float32);
        var tokens = encoder.Model.ForwardTokens(encoder.Normalize(pixels.to(encoder.Device)));           // [1, 1 + R + N, D]
        return [.. tokens[0, encoder.Model.PrefixTokens..].contiguous().cpu().data<float>().ToArray().Chunk(encoder.FeatureDim)];
    }

    /// <summary>The features less their mean over the images at the same place: small encoders tell above all where a patch lies.</summary>
    /// <param name="images">[images] of [N] of [D].</param>
    public static float[][][] WithoutPlace(IReadOnlyList<float[][]> images)
    {
        int patches = images[0].Length, width = images[0][0].Length;
        float[][] means = [.. Enumerable.Range(0, patches).Select(Mean)];
        return [.. images.Select(image => image.Select((patch, p) => patch.Select((value, d) => value - means[p][d]).ToArray()).ToArray())];

        float[] Mean(int p) => [.. Enumerable.Range(0, width).Select(d => images.Average(image => image[p][d]))];
    }
}
