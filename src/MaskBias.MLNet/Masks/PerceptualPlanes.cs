using System.Buffers;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// An image as three planes in which distance is close to perceived difference: CIE Lab, with the two colour axes stretched because
/// objects differ from their surroundings in colour more reliably than in lightness, which shading changes.
/// </summary>
internal sealed class PerceptualPlanes : IDisposable
{
    private const float ColorWeight = 1.7f;         // tuned on photographs with object masks
    private const int CurveSteps = 8192;

    private static readonly float[] Linear = [.. Enumerable.Range(0, 256).Select(i => ToLinear(i / 255.0))];
    private static readonly float[] Curve = [.. Enumerable.Range(0, CurveSteps + 1).Select(i => LabCurve(i / (double)CurveSteps))];

    private PerceptualPlanes(int height, int width)
    {
        (Height, Width) = (height, width);
        L = ArrayPool<float>.Shared.Rent(height * width);
        A = ArrayPool<float>.Shared.Rent(height * width);
        B = ArrayPool<float>.Shared.Rent(height * width);
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>Lightness, 0 to 100. The arrays are pooled and may be longer than Height · Width.</summary>
    public float[] L { get; }

    /// <summary>Green to red.</summary>
    public float[] A { get; }

    /// <summary>Blue to yellow.</summary>
    public float[] B { get; }

    /// <summary>Converts an image, reduced to a given size by averaging, and smooths it.</summary>
    /// <param name="rgb">[sourceHeight, sourceWidth, 3] bytes.</param>
    /// <param name="sourceHeight">Rows of the image.</param>
    /// <param name="sourceWidth">Columns of the image.</param>
    /// <param name="height">Rows of the planes, at most the image's.</param>
    /// <param name="width">Columns of the planes, at most the image's.</param>
    /// <param name="sigma">Standard deviation of the smoothing, in pixels of the planes.</param>
    public static PerceptualPlanes From(ReadOnlySpan<byte> rgb, int sourceHeight, int sourceWidth, int height, int width, double sigma)
    {
        var planes = new PerceptualPlanes(height, width);
        if (height == sourceHeight && width == sourceWidth) planes.Convert(rgb);
        else planes.Reduce(rgb, sourceHeight, sourceWidth);
        if (sigma > 0)
        {
            float[] kernel = Gaussian(sigma);
            float[] scratch = ArrayPool<float>.Shared.Rent(height * width);
            foreach (float[] plane in new[] { planes.L, planes.A, planes.B }) planes.Smooth(plane, scratch, kernel);
            ArrayPool<float>.Shared.Return(scratch);
        }
        return planes;
    }

    /// <summary>Perceived difference of two pixels.</summary>
    public float Distance(int i, int j)
    {
        float l = L[i] - L[j], a = A[i] - A[j], b = B[i] - B[j];
        return MathF.Sqrt(l * l + a * a + b * b);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(L);
        ArrayPool<float>.Shared.Return(A);
        ArrayPool<float>.Shared.Return(B);
    }

    private void Convert(ReadOnlySpan<byte> rgb)
    {
        for (int i = 0; i < Height * Width; i++)
            Set(i, Linear[rgb[3 * i]], Linear[rgb[3 * i + 1]], Linear[rgb[3 * i + 2]]);
    }

    // Averages in linear light the source pixels whose places fall on each target pixel: one at least, since this only reduces.
    private void Reduce(ReadOnlySpan<byte> rgb, int sourceHeight, int sourceWidth)
    {
        for (int y = 0; y < Height; y++)
        {
            int top = (int)((long)y * sourceHeight / Height), bottom = (int)((y + 1L) * sourceHeight / Height);
            for (int x = 0; x < Width; x++)
            {
                int left = (int)((long)x * sourceWidth / Width), right = (int)((x + 1L) * sourceWidth / Width);
                float r = 0, g = 0, b = 0;
                for (int v = top; v < bottom; v++)
                {
                    var row = rgb.Slice(3 * (v * sourceWidth + left), 3 * (right - left));
                    for (int u = 0; u < row.Length; u += 3)
                    {
                        r += Linear[row[u]];
                        g += Linear[row[u + 1]];
                        b += Linear[row[u + 2]];
                    }
                }
                float share = 1f / ((bottom - top) * (right - left));
                Set(y * Width + x, r * share, g * share, b * share);
            }
        }
    }

    private void Set(int i, float r, float g, float b)
    {
        float x = LookUp((0.4124f * r + 0.3576f * g + 0.1805f * b) / 0.95047f);      // sRGB, D65
        float y = LookUp(0.2126f * r + 0.7152f * g + 0.0722f * b);
        float z = LookUp((0.0193f * r + 0.1192f * g + 0.9505f * b) / 1.08883f);
        L[i] = 116 * y - 16;
        A[i] = ColorWeight * 500 * (x - y);
        B[i] = ColorWeight * 200 * (y - z);
    }

    private static float LookUp(float value) => Curve[(int)(Math.Clamp(value, 0, 1) * CurveSteps)];

    // Separable; the border's pixels repeat beyond the image.
    private void Smooth(float[] plane, float[] scratch, float[] kernel)
    {
        int radius = kernel.Length - 1;
        for (int y = 0; y < Height; y++)
        {
            var from = plane.AsSpan(y * Width, Width);
            var to = scratch.AsSpan(y * Width, Width);
            for (int x = 0; x < Width; x++)
            {
                float sum = kernel[0] * from[x];
                if (x >= radius && x < Width - radius)
                {
                    for (int i = 1; i <= radius; i++) sum += kernel[i] * (from[x - i] + from[x + i]);
                }
                else
                {
                    for (int i = 1; i <= radius; i++) sum += kernel[i] * (from[Math.Max(0, x - i)] + from[Math.Min(Width - 1, x + i)]);
                }
                to[x] = sum;
            }
        }
        for (int y = 0; y < Height; y++)
        {
            var to = plane.AsSpan(y * Width, Width);
            var from = scratch.AsSpan(y * Width, Width);
            for (int x = 0; x < Width; x++) to[x] = kernel[0] * from[x];
            for (int i = 1; i <= radius; i++)
            {
                var above = scratch.AsSpan(Math.Max(0, y - i) * Width, Width);
                var below = scratch.AsSpan(Math.Min(Height - 1, y + i) * Width, Width);
                for (int x = 0; x < Width; x++) to[x] += kernel[i] * (above[x] + below[x]);
            }
        }
    }

    // The centre and one side.
    private static float[] Gaussian(double sigma)
    {
        double[] values = [.. Enumerable.Range(0, (int)Math.Ceiling(3 * sigma) + 1).Select(i => Math.Exp(-i * i / (2 * sigma * sigma)))];
        double sum = 2 * values.Sum() - values[0];
        return Array.ConvertAll(values, value => (float)(value / sum));
    }

    private static float ToLinear(double value) => (float)(value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4));

    private static float LabCurve(double value) => (float)(value > 0.008856 ? Math.Cbrt(value) : 7.787 * value + 16 / 116.0);
}
