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
    private const int Channels = 3;

    private readonly int height, width;
    private readonly ImageNormalization normalization;
    private readonly float[] pixels;            // [H, W, 3], and a number after the last that is read with it

    /// <param name="image">The image that all views show.</param>
    /// <param name="normalization">Of the encoder that sees them.</param>
    public ViewRenderer(RgbImage image, ImageNormalization normalization)
    {
        (height, width, this.normalization) = (image.Height, image.Width, normalization);
        pixels = ArrayPool<float>.Shared.Rent(image.Pixels.Length + 1);
        Widen(image.Pixels, pixels);
        pixels[image.Pixels.Length] = 0;
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

    // Down the columns first, then along each line: [H, W, 3] -> three times [S, S].
    private void Cut(CropRegion region, int size, Span<float> red, Span<float> green, Span<float> blue)
    {
        var rows = new BicubicTaps(region.Y, region.Height, isReversed: false, height, size);
        var columns = new BicubicTaps(region.X, region.Width, region.Flip, width, size);
        int first = columns.First, used = Channels * (columns.End - first);
        float[] lent = ArrayPool<float>.Shared.Rent(used + 1);
        try
        {
            var line = lent.AsSpan(0, used + 1);
            line[used] = 0;
            for (int y = 0; y < size; y++)
            {
                Vertical(line[..used], rows.Starts[y], first, rows.Weights(y));
                Horizontal(line, columns, first, red.Slice(y * size, size), green.Slice(y * size, size), blue.Slice(y * size, size));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(lent);
        }
    }

    private void Vertical(Span<float> line, int row, int column, ReadOnlySpan<float> weights)
    {
        int stride = Channels * width, start = row * stride + Channels * column, i = 0;
        ref float source = ref MemoryMarshal.GetArrayDataReference(pixels);
        ref float target = ref MemoryMarshal.GetReference(line);
        for (; i <= line.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var sum = Vector<float>.Zero;
            nuint at = (nuint)(start + i);
            for (int t = 0; t < weights.Length; t++, at += (nuint)stride)
                sum = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref source, at), new Vector<float>(weights[t]), sum);
            sum.StoreUnsafe(ref target, (nuint)i);
        }
        for (; i < line.Length; i++)
        {
            float sum = 0;
            for (int t = 0; t < weights.Length; t++) sum += pixels[start + t * stride + i] * weights[t];
            line[i] = sum;
        }
    }

    // A pixel's three channels at once, with one number after them that is thrown away.
    private static void Horizontal(
        ReadOnlySpan<float> line, BicubicTaps columns, int first, Span<float> red, Span<float> green, Span<float> blue)
    {
        ref float source = ref MemoryMarshal.GetReference(line);
        for (int x = 0; x < red.Length; x++)
        {
            var weights = columns.Weights(x);
            int start = Channels * (columns.Starts[x] - first);
            var sum = Vector128<float>.Zero;
            for (int t = 0; t < weights.Length; t++)
            {
                var pixel = Vector128.LoadUnsafe(ref source, (nuint)(start + Channels * t));
                sum = Vector128.FusedMultiplyAdd(pixel, Vector128.Create(weights[t]), sum);
            }
            (red[x], green[x], blue[x]) = (sum[0], sum[1], sum[2]);
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
