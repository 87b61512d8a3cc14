using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// Resamples the patch projection for patches of another size, so that a resampled patch gives nearly the same token (Beyer et al., FlexiViT,
/// CVPR 2023, Eq. 3): w′ = (Rᵀ)⁺·w, where R resizes a patch bicubically, antialiased.
/// </summary>
internal static class PatchResampling
{
    private const double SingleEpsilon = 1.1920929e-7;      // between 1 and the next float

    /// <summary>Resamples the weights of a patch projection; its bias stays.</summary>
    /// <param name="weight">[D, channels, p, q].</param>
    /// <param name="height">New height in pixels.</param>
    /// <param name="width">New width in pixels.</param>
    /// <returns>[D, channels, height, width], of the type and on the device of the given weights.</returns>
    public static Tensor Resample(Tensor weight, long height, long width)
    {
        if (weight.dim() != 4) throw new ArgumentException($"weight is [{string.Join(", ", weight.shape)}]; it must be [D, channels, p, q].", nameof(weight));
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (weight.shape[2] == height && weight.shape[3] == width) return weight.clone();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var resize = ResizeMatrix(weight.shape[2], weight.shape[3], height, width);                 // R: [new, old]
        // The cut-off of single precision, in which the reference inverts: patches that grow one way and shrink the other make R singular.
        double cutoff = Math.Max(resize.shape[0], resize.shape[1]) * SingleEpsilon;
        var inverse = linalg.pinv(resize, rtol: cutoff);                                            // [old, new]
        var flat = weight.cpu().to_type(ScalarType.Float64).flatten(2);                             // [D, channels, old]
        var resampled = matmul(flat, inverse).view(weight.shape[0], weight.shape[1], height, width);
        return resampled.to_type(weight.dtype).to(weight.device).MoveToOuterDisposeScope();
    }

    /// <summary>The linear map that resizes an image, [new pixels, old pixels], pixels row by row.</summary>
    internal static Tensor ResizeMatrix(long oldHeight, long oldWidth, long height, long width)
    {
        using var scope = NewDisposeScope();
        var basis = eye(oldHeight * oldWidth, dtype: ScalarType.Float64).view(-1, 1, oldHeight, oldWidth);
        var resized = nn.functional.interpolate(
            basis, size: [height, width], mode: InterpolationMode.Bicubic, align_corners: false, antialias: true);
        return resized.flatten(1).t().contiguous().MoveToOuterDisposeScope();
    }
}
