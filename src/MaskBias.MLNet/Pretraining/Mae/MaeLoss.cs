using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>The MAE loss (supplement, Eq. 5; He et al., CVPR 2022): the squared error of the hidden patches' pixels.</summary>
internal static class MaeLoss
{
    /// <summary>L = 1/|M| Σ_{i ∈ M} mean (x_i − x̂_i)² over the hidden patches M of the batch.</summary>
    /// <param name="images">What the encoder got, [B, 3, S, S].</param>
    /// <param name="predicted">The decoder's patches x̂, [B, N, 3·p²].</param>
    /// <param name="hidden">1 for i ∈ M, else 0, [B, N].</param>
    /// <param name="patchSize">Side p of a patch in pixels.</param>
    /// <param name="normalizePixels">Whether x is normalised by the mean and deviation of its patch.</param>
    public static Tensor Forward(Tensor images, Tensor predicted, Tensor hidden, int patchSize, bool normalizePixels)
    {
        using var scope = NewDisposeScope();
        var target = ImagePatches.Cut(images, patchSize);
        if (normalizePixels) target = ImagePatches.Normalize(target);
        var error = (predicted - target).pow(Number(2)).mean([-1]);                                       // [B, N]
        return ((error * hidden).sum() / hidden.sum()).MoveToOuterDisposeScope();
    }
}
