using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>Images as rows of patches, and back.</summary>
internal static class ImagePatches
{
    // Keeps the target of a patch without deviation finite; MAE's published value.
    private const double VarianceFloor = 1e-6;

    /// <summary>[B, 3, S, S] → [B, N, 3·p²]: patches row by row; within a patch pixels row by row, R, G, B together.</summary>
    public static Tensor Cut(Tensor images, int patchSize)
    {
        using var scope = NewDisposeScope();
        long batch = images.shape[0], rows = images.shape[2] / patchSize, columns = images.shape[3] / patchSize;
        return images.reshape(batch, 3, rows, patchSize, columns, patchSize).permute(0, 2, 4, 3, 5, 1)
            .reshape(batch, rows * columns, 3L * patchSize * patchSize).MoveToOuterDisposeScope();
    }

    /// <summary>[B, N, 3·p²] → [B, 3, S, S], for square images.</summary>
    public static Tensor Join(Tensor patches, int patchSize)
    {
        using var scope = NewDisposeScope();
        long batch = patches.shape[0], side = (long)Math.Round(Math.Sqrt(patches.shape[1]));
        return patches.reshape(batch, side, side, patchSize, patchSize, 3).permute(0, 5, 1, 3, 2, 4)
            .reshape(batch, 3, side * patchSize, side * patchSize).MoveToOuterDisposeScope();
    }

    /// <summary>(x − mean)/√(variance + 1e-6) of each patch, with the unbiased variance over all its values; 0 where they are
    /// equal.</summary>
    public static Tensor Normalize(Tensor patches)
    {
        using var scope = NewDisposeScope();
        var (mean, deviation) = Statistics(patches);
        return ((patches - mean) / deviation).MoveToOuterDisposeScope();
    }

    /// <summary>Mean and √(variance + 1e-6) of each patch, [B, N, 1] each.</summary>
    public static (Tensor Mean, Tensor Deviation) Statistics(Tensor patches)
    {
        using var scope = NewDisposeScope();
        var mean = patches.mean([-1], keepdim: true);
        var variance = patches.var([-1], unbiased: true, keepdim: true);
        return (mean.MoveToOuterDisposeScope(), Sum(variance, Number(VarianceFloor)).sqrt().MoveToOuterDisposeScope());
    }
}
