using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Resamples a position embedding for images of another size.</summary>
internal static class PositionInterpolation
{
    // DINO adds it to the number of patches so that the floor of size × scale never loses one to rounding.
    private const double Offset = 0.1;

    /// <summary>Returns the position embedding for an image of the given size.</summary>
    /// <param name="embedding">[1, C + M·M, D]: the class token's, where it has one (C = 1), and the patches'.</param>
    /// <param name="height">Image height in pixels.</param>
    /// <param name="width">Image width in pixels.</param>
    /// <param name="patchSize">Side of a patch in pixels.</param>
    /// <param name="resampling">How to resample.</param>
    /// <remarks>Unchanged when the image is square and has M·M patches.</remarks>
    public static Tensor Resample(Tensor embedding, long height, long width, int patchSize, PositionResampling resampling)
    {
        long rows = height / patchSize, columns = width / patchSize;
        long side = (long)Math.Sqrt(embedding.shape[1]), patches = side * side, others = embedding.shape[1] - patches;
        if (rows * columns == patches && height == width) return embedding;
        using var scope = NewDisposeScope();
        var grid = embedding[.., (int)others..].reshape(1, side, side, -1).permute(0, 3, 1, 2);          // [1, D, M, M]
        var resampled = Resample(grid, rows, columns, resampling).permute(0, 2, 3, 1).reshape(1, rows * columns, -1);
        return cat([embedding[.., ..(int)others], resampled], dim: 1).MoveToOuterDisposeScope();
    }

    // Without antialiasing the cubic's a is −0.75, with it −0.5; corners are never aligned.
    private static Tensor Resample(Tensor grid, long rows, long columns, PositionResampling resampling)
    {
        const InterpolationMode Bicubic = InterpolationMode.Bicubic;
        if (resampling != PositionResampling.Offset)
        {
            bool antialias = resampling == PositionResampling.Antialiased;
            return nn.functional.interpolate(grid, size: [rows, columns], mode: Bicubic, align_corners: false, antialias: antialias);
        }
        double[] scale = [(rows + Offset) / grid.shape[2], (columns + Offset) / grid.shape[3]];
        return nn.functional.interpolate(grid, scale_factor: scale, mode: Bicubic, align_corners: false);
    }
}
