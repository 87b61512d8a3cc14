using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>
/// Cuts regions out of every image of a batch and resizes each to a square, as two batched matrix products: Y · X · Zᵀ with the weights of an
/// antialiased bicubic filter (a = −0.5, as Pillow's) in the rows of Y and Z.
/// </summary>
internal static class CropResampler
{
    /// <summary>Resamples as many views of every image.</summary>
    /// <param name="images">Pixels, [B, H, W, 3], padded to a common size.</param>
    /// <param name="sizes">True height and width of each image.</param>
    /// <param name="regions">What the views of each image show, [B][V].</param>
    /// <param name="size">Side S of the views in pixels.</param>
    /// <returns>[V, B, 3, S, S], in the range of the input's first and last grey level.</returns>
    public static Tensor Resample(Tensor images, IReadOnlyList<(int Height, int Width)> sizes, CropRegion[][] regions, int size)
    {
        using var scope = NewDisposeScope();
        var (batch, height, width) = (images.shape[0], images.shape[1], images.shape[2]);
        int views = regions[0].Length;
        var all = regions.SelectMany(r => r).ToList();
        var rows = Weights([.. all.Select(r => (r.Y, r.Height, false))], [.. sizes.Select(s => s.Height)], height, size, images.device);
        var columns = Weights([.. all.Select(r => (r.X, r.Width, r.Flip))], [.. sizes.Select(s => s.Width)], width, size, images.device);
        var resized = bmm(rows.view(batch, views * size, height), images.view(batch, height, width * 3));     // [B, V·S, W·3]: an image is read once
        var turned = resized.view(-1, size, width, 3).transpose(1, 2).reshape(-1, width, size * 3);            // [B·V, W, S·3]
        return bmm(columns.view(-1, size, width), turned).view(batch, views, size, size, 3)                    // [B, V, x, y, 3]
            .permute(1, 0, 4, 3, 2).contiguous().MoveToOuterDisposeScope();
    }

    // [B, V, S, L]: row i of a view weighs the L input pixels that make output pixel i.
    private static Tensor Weights((double Start, double Extent, bool Reverse)[] spans, int[] lengths, long paddedLength, int size, Device device)
    {
        var centers = new float[spans.Length * size];
        var scales = new float[spans.Length];
        for (int at = 0; at < spans.Length; at++)
        {
            double step = spans[at].Extent / size;
            scales[at] = (float)Math.Max(step, 1);
            for (int i = 0; i < size; i++)
                centers[at * size + i] = (float)(spans[at].Start + ((spans[at].Reverse ? size - 1 - i : i) + 0.5) * step - 0.5);
        }
        var (batch, views) = (lengths.Length, spans.Length / lengths.Length);
        var position = arange(Number(0), Number(paddedLength), Number(1), dtype: ScalarType.Float32, device: device);     // [L]
        var distance = position - tensor(centers, [batch, views, size, 1]).SentTo(device);                       // [B, V, S, L]
        var weights = Cubic(distance.div_(tensor(scales, [batch, views, 1, 1]).SentTo(device)).abs_().clamp_max_(Number(2)));
        var inside = position < tensor(lengths, [batch, 1, 1, 1]).SentTo(device);                             // [B, 1, 1, L]
        weights.mul_(inside);
        return weights.div_(weights.sum(-1, keepdim: true));
    }

    // Keys' cubic with a = −0.5, for 0 ≤ t ≤ 2
    private static Tensor Cubic(Tensor t)
    {
        var near = ((Number(1.5) * t - Number(2.5)) * t).mul_(t).add_(Number(1), alpha: Number(1));
        var far = (Sum(Number(-0.5) * t, Number(2.5)) * t - Number(4)).mul_(t).add_(Number(2), alpha: Number(1));
        return where(t < Number(1), near, far);
    }
}
