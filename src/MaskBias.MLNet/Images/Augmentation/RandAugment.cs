using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>
/// RandAugment (Cubuk et al., NeurIPS 2020) in the form that MAE and Semi-ViT fine-tune with: two of fifteen operations, each applied with
/// chance 0.5, of a strength drawn around a magnitude of 10; operations grow stronger with it.
/// </summary>
internal static class RandAugment
{
    private const int Operations = 2;
    private const double Chance = 0.5, Largest = 10;

    // Of a batch of pixels in [0, 255], [n, 3, S, S], each image with its own strength in [-1, 1], [n].
    private static readonly Func<Tensor, float[], Tensor>[] All =
    [
        (x, _) => AutoContrast(x),
        (x, _) => Equalize(x),
        (x, _) => Difference(Number(255), x),
        (x, m) => Warp(x, m, s => (Math.Cos(s * Math.PI / 6), -Math.Sin(s * Math.PI / 6), 0, Math.Sin(s * Math.PI / 6), Math.Cos(s * Math.PI / 6), 0)),
        (x, m) => Posterize(x, Each(m, s => MathF.Pow(2, 4 + (int)(MathF.Abs(s) * 4)), x)),
        (x, m) => where(x >= Each(m, s => 256 - (int)(MathF.Abs(s) * 256), x), Difference(Number(255), x), x),
        (x, m) => where(x < Number(128), Sum(x, Each(m, s => (int)(MathF.Abs(s) * 110), x)).clamp_(Number(0), Number(255)), x),
        (x, m) => Blend(Luminance(x), x, m),
        (x, m) => Blend(Luminance(x).mean([1, 2, 3], keepdim: true), x, m),
        (x, m) => Blend(zeros_like(x), x, m),
        (x, m) => Blend(Smooth(x), x, m),
        (x, m) => Warp(x, m, s => (1, 0.3 * s, 0, 0, 1, 0)),
        (x, m) => Warp(x, m, s => (1, 0, 0, 0.3 * s, 1, 0)),
        (x, m) => Warp(x, m, s => (1, 0, 0.9 * s, 0, 1, 0)),           // 0.45 of the width, which is 2 in these coordinates
        (x, m) => Warp(x, m, s => (1, 0, 0, 0, 1, 0.9 * s)),
    ];

    /// <summary>Augments a batch.</summary>
    /// <param name="pixels">[B, 3, S, S] in [0, 255].</param>
    /// <param name="magnitude">Mean strength, 0 to 10.</param>
    /// <param name="deviation">Standard deviation of the strength.</param>
    /// <param name="random">Draws all.</param>
    /// <param name="own">The rows of the batch that are here; what they get is drawn as for the whole batch. null for all.</param>
    public static Tensor Apply(Tensor pixels, double magnitude, double deviation, Random random, OwnRows? own = null)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int rows = own?.Whole ?? (int)pixels.shape[0];
        for (int slot = 0; slot < Operations; slot++)
        {
            var drawn = Enumerable.Range(0, rows)
                .Select(row => (Row: Here(row), Operation: random.Next(All.Length), Applies: random.NextDouble() < Chance, Strength: Strength()))
                .Where(d => d.Applies && d.Row >= 0).GroupBy(d => d.Operation).OrderBy(g => g.Key).ToList();
            foreach (var group in drawn)
            {
                var index = tensor(group.Select(d => (long)d.Row).ToArray()).SentTo(pixels.device);
                var changed = All[group.Key](pixels.index_select(0, index), [.. group.Select(d => d.Strength)]);
                pixels = pixels.index_copy(0, index, changed);
            }
        }
        return pixels.MoveToOuterDisposeScope();

        int Here(int row) => own is null ? row : Array.BinarySearch(own.Positions, row);

        float Strength()
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return (float)(Math.Clamp(magnitude + deviation * normal, 0, Largest) / Largest * (random.Next(2) == 0 ? 1 : -1));
        }
    }

    /// <summary>The number of operations to draw from.</summary>
    internal static int Count => All.Length;

    /// <summary>One operation, for tests: [n, 3, S, S] in [0, 255].</summary>
    internal static Tensor Operation(int index, Tensor pixels, float[] strengths)
    {
        using var scope = NewDisposeScope();
        return All[index](pixels, strengths).MoveToOuterDisposeScope();
    }

    private static Tensor AutoContrast(Tensor x)
    {
        Tensor low = x.amin([2, 3], keepdim: true), range = x.amax([2, 3], keepdim: true) - low;
        return where(range > Number(0), (x - low) * Number(255) / range.clamp_min(Number(1e-6)), x);
    }

    // A lookup table per channel that makes all grey levels about as frequent.
    private static Tensor Equalize(Tensor x)
    {
        var levels = x.round().clamp_(Number(0), Number(255)).to_type(ScalarType.Int64).flatten(2).flatten(0, 1);    // [n·3, S·S]
        var histogram = zeros([levels.shape[0], 256]).SentTo(x.device).scatter_add_(1, levels, ones_like(levels, dtype: ScalarType.Float32));
        var last = histogram.gather(1, levels.amax([1], keepdim: true));
        var step = (Difference(Number(levels.shape[1]), last) / Number(255)).floor();    // [n·3, 1]
        var before = histogram.cumsum(1) - histogram;
        var table = (Sum(before, (step / Number(2)).floor()) / step.clamp_min(Number(1))).floor().clamp_(Number(0), Number(255));
        return where(step > Number(0), table.gather(1, levels), levels.to_type(ScalarType.Float32)).view(x.shape);
    }

    private static Tensor Posterize(Tensor x, Tensor step) => (x / step).floor() * step;

    // other·(1 − f) + x·f with f = 1 ± 0.9·strength
    private static Tensor Blend(Tensor other, Tensor x, float[] strengths)
    {
        var factor = Each(strengths, s => 1 + 0.9f * s, x);
        return Sum(other * Difference(Number(1), factor), x * factor).clamp_(Number(0), Number(255));
    }

    private static Tensor Luminance(Tensor x)
    {
        var weights = tensor([0.299f, 0.587f, 0.114f], [1, 3, 1, 1]).SentTo(x.device);
        return (x * weights).sum([1], keepdim: true);
    }

    // A 3×3 mean that weighs the centre five times; the border stays.
    private static Tensor Smooth(Tensor x)
    {
        if (x.shape[2] < 3 || x.shape[3] < 3) return x;
        var kernel = ones([3, 1, 3, 3]).SentTo(x.device);
        kernel[.., .., 1, 1] = tensor(5f).SentTo(x.device);
        var smooth = x.clone();
        smooth[.., .., 1..^1, 1..^1] = nn.functional.conv2d(x, kernel / Number(13), groups: 3);
        return smooth;
    }

    // Shows at each place what the map of coordinates in [-1, 1] finds there; outside of the image is ImageNet's mean colour.
    private static Tensor Warp(Tensor x, float[] strengths, Func<double, (double, double, double, double, double, double)> map)
    {
        float[] values = [.. strengths.SelectMany(s =>
        {
            var (a, b, c, d, e, f) = map(s);
            return new[] { (float)a, (float)b, (float)c, (float)d, (float)e, (float)f };
        })];
        var theta = tensor(values, [strengths.Length, 2, 3]).SentTo(x.device);
        var fill = tensor([123.675f, 116.28f, 103.53f], [1, 3, 1, 1]).SentTo(x.device);
        var grid = nn.functional.affine_grid(theta, x.shape, align_corners: false);
        return Sum(nn.functional.grid_sample(x - fill, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false), fill);
    }

    private static Tensor Each(float[] strengths, Func<float, float> value, Tensor like) =>
        tensor(strengths.Select(value).ToArray(), [strengths.Length, 1, 1, 1]).SentTo(like.device);
}
