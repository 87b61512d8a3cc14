using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Resamples a learned position embedding for images of another size, as DINO does.</summary>
internal static class PositionInterpolation
{
    // DINO adds it to the number of patches so that the floor of size × scale never loses one to rounding.
    private const double Offset = 0.1;

    /// <summary>Returns the position embedding for an image of the given size.</summary>
    /// <param name="embedding">[1, 1 + M·M, D], the class token's first.</param>
    /// <param name="height">Image height in pixels.</param>
    /// <param name="width">Image width in pixels.</param>
    /// <param name="patchSize">Side of a patch in pixels.</param>
    /// <remarks>
    /// Unchanged when the image is square and has M·M patches; otherwise bicubic (a = −0.75, corners not aligned, no antialiasing) with
    /// the scale (patches + 0.1)/M, which also sets the sampling coordinates.
    /// </remarks>
    public static Tensor Resample(Tensor embedding, long height, long width, int patchSize)
    {
        long rows = height / patchSize, columns = width / patchSize, known = embedding.shape[1] - 1;
        if (rows * columns == known && height == width) return embedding;
        using var scope = NewDisposeScope();
        long side = (long)Math.Round(Math.Sqrt(known));
        var grid = embedding[.., 1..].reshape(1, side, side, -1).permute(0, 3, 1, 2);             // [1, D, M, M]
        double[] scale = [(rows + Offset) / side, (columns + Offset) / side];
        var resampled = nn.functional.interpolate(grid, scale_factor: scale, mode: InterpolationMode.Bicubic, align_corners: false);
        var patches = resampled.permute(0, 2, 3, 1).reshape(1, rows * columns, -1);
        return cat([embedding[.., ..1], patches], dim: 1).MoveToOuterDisposeScope();
    }
}
