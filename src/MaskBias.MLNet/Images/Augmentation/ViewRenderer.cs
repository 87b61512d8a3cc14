using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>
/// Makes the views of one image on the processor, where cutting, colours and blur of a view stay in the cache and nothing is computed for
/// pixels that it does not show. The numbers are those of <see cref="CropResampler"/> and <see cref="ColorAugmentation"/>, which do it for
/// whole batches on a device.
/// </summary>
internal sealed class ViewRenderer : IDisposable
{
    private const int Channels = 3, Lines = 8;          // as many lines are cut at once

    private readonly int height, width;
    private readonly ImageNormalization normalization;
    private readonly float[] pixels;            // [H, W, 3]

    /// <param name="image">The image that all views show.</param>
    /// <param name="normalization">Of the encoder that sees them.</param>
    public ViewRenderer(RgbImage image, ImageNormalization normalization)
    {
        (height, width, this.normalization) = (image.Height, image.Width, normalization);
        pixels = ArrayPool<float>.Shared.Rent(image.Pixels.Length);
        Widen(image.Pixels, pixels);
    }

    /// <summary>Renders a view.</summary>
    /// <param name="draw">What was drawn for it.</param>
    /// <param name="size">Its side S.</param>
    /// <param name="jitterOrder">Order of the four parts of the jitter, as <see cref="ColorAugmentation.DrawOrder"/> gives it.</param>
    /// <param name="normalized">Receives [3, S, S].</param>
    public void Render(in ViewDraw draw, int size, ReadOnlySpan<int> jitterOrder, Span<float> normalized)
    {
        int count = size * size, padded = (count + PlanarColors.Lanes - 1) / PlanarColors.Lanes * PlanarColors.Lanes;
        float[] lent = ArrayPool<float>.Shared.Rent(Channels * padded);
        try
        {
            var planes = lent.AsSpan(0, Channels * padded);
            Span<float> red = planes[..padded], green = planes.Slice(padded, padded), blue = planes[(2 * padded)..];
            var colors = new PlanarColors(red, green, blue);
            Cut(draw.Region, size, red, green, blue);
            colors.Brighten(1f / 255);                          // to [0, 1]
            Recolor(colors, draw, jitterOrder, count);
            if (draw.Blur > 0)
            {
                for (int c = 0; c < Channels; c++) GaussianBlur.Apply(planes.Slice(c * padded, count), size, draw.Blur);
            }
            if (draw.Solarize) colors.Solarize(ColorAugmentation.SolarizeThreshold);
            for (int c = 0; c < Channels; c++) Normalize(planes.Slice(c * padded, count), normalized.Slice(c * count, count), c);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(lent);
        }
    }

    public void Dispose() => ArrayPool<float>.Shared.Return(pixels);

    private static void Recolor(PlanarColors colors, in ViewDraw draw, ReadOnlySpan<int> order, int count)
    {
        foreach (int part in order)
        {
            if (part == ColorAugmentation.BrightnessPart && draw.Brightness != 1) colors.Brighten(draw.Brightness);
            if (part == ColorAugmentation.ContrastPart && draw.Contrast != 1) colors.Contrast(draw.Contrast, count);
            if (part == ColorAugmentation.SaturationPart && draw.Saturation != 1) colors.Saturate(draw.Saturation);
            if (part == ColorAugmentation.HuePart && draw.Hue != 0) colors.TurnHue(draw.Hue);
        }
        if (draw.Grayscale) colors.Saturate(0);
    }

    // Down the columns first, then along the lines, several at once: [H, W, 3] -> three times [S, S].
    private void Cut(CropRegion region, int size, Span<float> red, Span<float> green, Span<float> blue)
    {
        var rows = new BicubicTaps(region.Y, region.Height, isReversed: false, height, size);
        var columns = new BicubicTaps(region.X, region.Width, region.Flip, width, size);
        int first = columns.First, used = Channels * (columns.End - first);
        float[] lent = ArrayPool<float>.Shared.Rent(Lines * (2 * used + Channels * size));
        try
        {
            Span<float> lines = lent.AsSpan(0, Lines * used), turned = lent.AsSpan(Lines * used, Lines * used);
            var cut = lent.AsSpan(2 * Lines * used, Lines * Channels * size);
            lines.Clear();                                      // the last lines may be fewer
            for (int y = 0; y < size; y += Lines)
            {
                int count = Math.Min(Lines, size - y);
                for (int i = 0; i < count; i++)
                {
                    int start = Channels * (rows.Starts[y + i] * width + first);
                    WeightedRows.Sum(pixels, start, Channels * width, rows.Weights(y + i), lines.Slice(i * used, used));
                }
                Turn(lines, turned, used);
                Horizontal(turned, columns, first, cut);
                for (int i = 0; i < count; i++)
                {
                    TurnBack(cut, i, red.Slice((y + i) * size, size), green.Slice((y + i) * size, size), blue.Slice((y + i) * size, size));
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(lent);
        }
    }

    // [8, n] -> [n, 8]
    private static void Turn(ReadOnlySpan<float> lines, Span<float> turned, int length)
    {
        ReadOnlySpan<float> a = lines[..length], b = lines.Slice(length, length), c = lines.Slice(2 * length, length),
            d = lines.Slice(3 * length, length), e = lines.Slice(4 * length, length), f = lines.Slice(5 * length, length),
            g = lines.Slice(6 * length, length), h = lines.Slice(7 * length, length);
        for (int i = 0; i < length; i++)
            Vector256.Create(a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]).CopyTo(turned[(i * Lines)..]);
    }

    // A line's pixels out of [S, 3, 8].
    private static void TurnBack(ReadOnlySpan<float> cut, int line, Span<float> red, Span<float> green, Span<float> blue)
    {
        for (int x = 0, at = line; x < red.Length; x++, at += Channels * Lines)
            (red[x], green[x], blue[x]) = (cut[at], cut[at + Lines], cut[at + 2 * Lines]);
    }

    // [W, 3, 8] -> [S, 3, 8]: the same weights for three channels of eight lines.
    private static void Horizontal(ReadOnlySpan<float> turned, BicubicTaps columns, int first, Span<float> cut)
    {
        ref float source = ref MemoryMarshal.GetReference(turned);
        ref float target = ref MemoryMarshal.GetReference(cut);
        for (int x = 0; x < columns.Starts.Length; x++)
        {
            Vector256<float> red = default, green = default, blue = default;
            nuint at = (nuint)(Channels * Lines * (columns.Starts[x] - first));
            foreach (float weight in columns.Weights(x))
            {
                var w = Vector256.Create(weight);
                red = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref source, at), w, red);
                green = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref source, at + Lines), w, green);
                blue = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref source, at + 2 * Lines), w, blue);
                at += Channels * Lines;
            }
            nuint to = (nuint)(Channels * Lines * x);
            red.StoreUnsafe(ref target, to);
            green.StoreUnsafe(ref target, to + Lines);
            blue.StoreUnsafe(ref target, to + 2 * Lines);
        }
    }

    private void Normalize(ReadOnlySpan<float> plane, Span<float> target, int channel)
    {
        float scale = 1 / normalization.Deviation[channel], shift = -normalization.Mean[channel] * scale;
        int i = 0;
        for (; i <= plane.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(plane[i..]) * scale + new Vector<float>(shift)).CopyTo(target[i..]);
        for (; i < plane.Length; i++) target[i] = plane[i] * scale + shift;
    }

    private static void Widen(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        int i = 0;
        for (; i <= bytes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(bytes[i..]), out var low, out var high);
            Store(low, values[i..]);
            Store(high, values[(i + Vector<ushort>.Count)..]);
        }
        for (; i < bytes.Length; i++) values[i] = bytes[i];

        static void Store(Vector<ushort> shorts, Span<float> target)
        {
            Vector.Widen(shorts, out var low, out var high);
            Vector.ConvertToSingle(Vector.AsVectorInt32(low)).CopyTo(target);
            Vector.ConvertToSingle(Vector.AsVectorInt32(high)).CopyTo(target[Vector<int>.Count..]);
        }
    }
}
