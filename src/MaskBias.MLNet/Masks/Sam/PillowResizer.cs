using System.Runtime.CompilerServices;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Resizes 8-bit images as Pillow's bilinear filter does, bit for bit: when an image is reduced the filter widens with it, weights are
/// fixed point, and rows are done before columns with bytes in between.
/// </summary>
internal static class PillowResizer
{
    private const int Precision = 32 - 8 - 2, Channels = 3;
    private const int Half = 1 << (Precision - 1);

    /// <summary>Returns the image at the given size; the same instance where it has that size.</summary>
    public static RgbImage Resize(RgbImage image, int height, int width)
    {
        if (width != image.Width) image = ResizeRows(image, width);
        return height == image.Height ? image : ResizeColumns(image, height);
    }

    private static RgbImage ResizeRows(RgbImage image, int width)
    {
        var taps = Taps(image.Width, width);
        byte[] source = image.Pixels, target = new byte[checked(image.Height * width * Channels)];
        Parallel.For(0, image.Height, y =>
        {
            var line = source.AsSpan(y * image.Width * Channels, image.Width * Channels);
            var output = target.AsSpan(y * width * Channels, width * Channels);
            for (int x = 0; x < width; x++)
            {
                var (start, weights) = taps[x];
                int red = Half, green = Half, blue = Half;
                for (int i = 0, at = start * Channels; i < weights.Length; i++, at += Channels)
                {
                    red += line[at] * weights[i];
                    green += line[at + 1] * weights[i];
                    blue += line[at + 2] * weights[i];
                }
                (output[x * Channels], output[x * Channels + 1], output[x * Channels + 2]) = (Clip(red), Clip(green), Clip(blue));
            }
        });
        return new RgbImage(image.Height, width, target);
    }

    private static RgbImage ResizeColumns(RgbImage image, int height)
    {
        var taps = Taps(image.Height, height);
        int stride = image.Width * Channels;
        byte[] source = image.Pixels, target = new byte[checked(height * stride)];
        Parallel.For(0, height, y =>
        {
            var (start, weights) = taps[y];
            int[] sums = new int[stride];
            Array.Fill(sums, Half);
            for (int i = 0; i < weights.Length; i++)
            {
                var line = source.AsSpan((start + i) * stride, stride);
                for (int x = 0; x < line.Length; x++) sums[x] += line[x] * weights[i];
            }
            var output = target.AsSpan(y * stride, stride);
            for (int x = 0; x < output.Length; x++) output[x] = Clip(sums[x]);
        });
        return new RgbImage(height, image.Width, target);
    }

    // Per output pixel the first input pixel and the weights of it and those that follow.
    private static (int Start, int[] Weights)[] Taps(int from, int to)
    {
        double scale = (double)from / to, support = Math.Max(scale, 1);
        var taps = new (int, int[])[to];
        for (int i = 0; i < to; i++)
        {
            double center = (i + 0.5) * scale;
            int start = Math.Max(0, (int)(center - support + 0.5)), end = Math.Min(from, (int)(center + support + 0.5));
            double[] weights = [.. Enumerable.Range(start, end - start).Select(x => Triangle((x - center + 0.5) * (1 / support)))];
            double sum = 0;
            foreach (double weight in weights) sum += weight;
            taps[i] = (start, Array.ConvertAll(weights, w => (int)(0.5 + w / sum * (1 << Precision))));
        }
        return taps;
    }

    private static double Triangle(double x) => Math.Max(0, 1 - Math.Abs(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Precision, 0, 255);
}
