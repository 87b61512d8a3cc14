using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019) with one λ for a batch: image i meets image B − 1 − i, so in a batch of
/// an odd number the middle one stays as it is.
/// </summary>
internal static class BatchMixing
{
    /// <summary>λ·x + (1 − λ)·x', of images [B, 3, S, S] or targets [B, K].</summary>
    public static Tensor Mixup(Tensor batch, double share)
    {
        using var scope = NewDisposeScope();
        return Sum(batch * Number(share), batch.flip(0) * Number(1 - share)).MoveToOuterDisposeScope();
    }

    /// <summary>Pastes a box of the other image.</summary>
    /// <returns>The images, and the share of their own that is left.</returns>
    public static (Tensor Images, double Share) Cutmix(Tensor images, double share, int centerY, int centerX)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (images.shape[2], images.shape[3]);
        var (top, bottom, left, right) = Box(share, height, width, centerY, centerX);
        var mixed = images.clone();
        mixed[.., .., (int)top..(int)bottom, (int)left..(int)right] = images.flip(0)[.., .., (int)top..(int)bottom, (int)left..(int)right];
        return (mixed.MoveToOuterDisposeScope(), 1 - (bottom - top) * (right - left) / (double)(height * width));
    }

    /// <summary>The box: a share 1 − λ of the area around a centre, cut off at the borders.</summary>
    public static (long Top, long Bottom, long Left, long Right) Box(double share, long height, long width, int centerY, int centerX)
    {
        double side = Math.Sqrt(1 - share);
        long halfHeight = (long)(height * side) / 2, halfWidth = (long)(width * side) / 2;
        return (Math.Clamp(centerY - halfHeight, 0, height), Math.Clamp(centerY + halfHeight, 0, height),
            Math.Clamp(centerX - halfWidth, 0, width), Math.Clamp(centerX + halfWidth, 0, width));
    }

    /// <summary>Mixes a batch and its targets: by mixup or CutMix, chosen evenly where both are wanted, λ drawn from Beta(α, α).</summary>
    /// <param name="images">[B, 3, S, S].</param>
    /// <param name="targets">[B, K].</param>
    /// <param name="mixup">α of mixup, 0 for none.</param>
    /// <param name="cutmix">α of CutMix, 0 for none.</param>
    /// <param name="random">Draws which, λ and the box.</param>
    public static (Tensor Images, Tensor Targets) Apply(Tensor images, Tensor targets, double mixup, double cutmix, Random random)
    {
        if (mixup == 0 && cutmix == 0) return (images, targets);
        bool cuts = cutmix > 0 && (mixup == 0 || random.NextDouble() < 0.5);
        double share = Beta(cuts ? cutmix : mixup, random);
        if (!cuts) return (Mixup(images, share), Mixup(targets, share));
        var (mixed, left) = Cutmix(images, share, random.Next((int)images.shape[2]), random.Next((int)images.shape[3]));
        return (mixed, Mixup(targets, left));
    }

    // Jöhnk's method, quick for α of about 1 and below.
    private static double Beta(double alpha, Random random)
    {
        while (true)
        {
            double x = Math.Pow(random.NextDouble(), 1 / alpha), y = Math.Pow(random.NextDouble(), 1 / alpha);
            if (x + y is > 0 and <= 1) return x / (x + y);
        }
    }
}
