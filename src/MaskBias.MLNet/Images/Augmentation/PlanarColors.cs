using System.Numerics;
using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>
/// What <see cref="ColorAugmentation"/> does to the colours of a batch, for one view on the processor: red, green and blue in [0, 1], in
/// planes whose length is a multiple of <see cref="Lanes"/>.
/// </summary>
internal readonly ref struct PlanarColors(Span<float> red, Span<float> green, Span<float> blue)
{
    private readonly Span<Vector<float>> r = Of(red), g = Of(green), b = Of(blue);

    /// <summary>Numbers that are computed together.</summary>
    public static int Lanes => Vector<float>.Count;

    /// <summary>x ← min(1, f·x).</summary>
    public void Brighten(float factor)
    {
        for (int i = 0; i < r.Length; i++) (r[i], g[i], b[i]) = (Clamp(r[i] * factor), Clamp(g[i] * factor), Clamp(b[i] * factor));
    }

    /// <summary>x ← m + f·(x − m), m the mean luminance of the view.</summary>
    /// <param name="factor">f.</param>
    /// <param name="pixels">How many values of the planes are pixels; the others do not count.</param>
    public void Contrast(float factor, int pixels)
    {
        int whole = pixels / Lanes;
        double sum = 0;
        for (int i = 0; i < whole; i++) sum += Vector.Sum(Luminance(i));
        if (whole < r.Length)
        {
            var last = Luminance(whole);
            for (int lane = 0; lane < pixels - whole * Lanes; lane++) sum += last[lane];
        }
        var mean = new Vector<float>((float)(sum / pixels));
        for (int i = 0; i < r.Length; i++)
        {
            (r[i], g[i], b[i]) =
                (Clamp(mean + (r[i] - mean) * factor), Clamp(mean + (g[i] - mean) * factor), Clamp(mean + (b[i] - mean) * factor));
        }
    }

    /// <summary>x ← l + f·(x − l), l the luminance of the pixel; 0 makes it grey.</summary>
    public void Saturate(float factor)
    {
        for (int i = 0; i < r.Length; i++)
        {
            var gray = Luminance(i);
            (r[i], g[i], b[i]) =
                (Clamp(gray + (r[i] - gray) * factor), Clamp(gray + (g[i] - gray) * factor), Clamp(gray + (b[i] - gray) * factor));
        }
    }

    /// <summary>Turns hues by a share of the circle, through hue, saturation and value.</summary>
    public void TurnHue(float turn)
    {
        Vector<float> shift = new(6 * turn), two = new(2), four = new(4);
        for (int i = 0; i < r.Length; i++)
        {
            var value = Vector.Max(r[i], Vector.Max(g[i], b[i]));
            var chroma = value - Vector.Min(r[i], Vector.Min(g[i], b[i]));
            var divisor = Vector.ConditionalSelect(Vector.Equals(chroma, Vector<float>.Zero), Vector<float>.One, chroma);
            var sector = Vector.ConditionalSelect(Vector.Equals(value, r[i]), (g[i] - b[i]) / divisor,
                Vector.ConditionalSelect(Vector.Equals(value, g[i]), (b[i] - r[i]) / divisor + two, (r[i] - g[i]) / divisor + four));
            var hue = sector + shift;                                                              // in sixths of the circle
            (r[i], g[i], b[i]) = (FromHue(hue, value, chroma, 5), FromHue(hue, value, chroma, 3), FromHue(hue, value, chroma, 1));
        }
    }

    /// <summary>x ← 1 − x where x is at least the threshold.</summary>
    public void Solarize(float threshold)
    {
        var least = new Vector<float>(threshold);
        for (int i = 0; i < r.Length; i++) (r[i], g[i], b[i]) = (Solarize(r[i], least), Solarize(g[i], least), Solarize(b[i], least));
    }

    private static Vector<float> FromHue(Vector<float> hue, Vector<float> value, Vector<float> chroma, float offset)
    {
        var k = hue + new Vector<float>(offset);
        k -= new Vector<float>(6) * Vector.Floor(k * new Vector<float>(1f / 6));
        return value - chroma * Clamp(Vector.Min(k, new Vector<float>(4) - k));
    }

    private static Vector<float> Solarize(Vector<float> x, Vector<float> least) =>
        Vector.ConditionalSelect(Vector.GreaterThanOrEqual(x, least), Vector<float>.One - x, x);

    private static Vector<float> Clamp(Vector<float> x) => Vector.Min(Vector.Max(x, Vector<float>.Zero), Vector<float>.One);

    private static Span<Vector<float>> Of(Span<float> plane) => MemoryMarshal.Cast<float, Vector<float>>(plane);

    private Vector<float> Luminance(int i) => r[i] * 0.299f + g[i] * 0.587f + b[i] * 0.114f;
}
