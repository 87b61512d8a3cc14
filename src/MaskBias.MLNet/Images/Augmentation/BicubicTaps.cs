namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>
/// Which input pixels make each output pixel along one side, and by what weights: an antialiased bicubic filter (a = −0.5, as Pillow's),
/// the weights of <see cref="CropResampler"/> without their zeros.
/// </summary>
internal sealed class BicubicTaps
{
    private const int Reach = 2;                // of the filter, in units of its scale

    private readonly float[] weights;           // [size, most]

    /// <param name="start">Where the region starts, in input pixels.</param>
    /// <param name="extent">How long it is.</param>
    /// <param name="isReversed">Whether it is mirrored.</param>
    /// <param name="length">Pixels of the input's side.</param>
    /// <param name="size">Pixels of the output's side.</param>
    public BicubicTaps(double start, double extent, bool isReversed, int length, int size)
    {
        double step = extent / size;
        float scale = (float)Math.Max(step, 1);
        Most = Math.Min(length, (int)(2 * Reach * scale) + 2);
        Starts = new int[size];
        Counts = new int[size];
        weights = new float[size * Most];
        for (int i = 0; i < size; i++)
        {
            float center = (float)(start + ((isReversed ? size - 1 - i : i) + 0.5) * step - 0.5);
            int first = Math.Clamp((int)Math.Ceiling(center - Reach * scale), 0, length - 1);
            int last = Math.Clamp((int)Math.Floor(center + Reach * scale), first, Math.Min(length, first + Most) - 1);
            (Starts[i], Counts[i]) = (first, last - first + 1);
            var mine = weights.AsSpan(i * Most, Counts[i]);
            float sum = 0;
            for (int t = 0; t < mine.Length; t++) sum += mine[t] = Cubic(Math.Min(Reach, Math.Abs(first + t - center) / scale));
            for (int t = 0; t < mine.Length; t++) mine[t] /= sum;
        }
    }

    /// <summary>First input pixel of each output pixel.</summary>
    public int[] Starts { get; }

    /// <summary>How many follow one another.</summary>
    public int[] Counts { get; }

    /// <summary>First input pixel of all.</summary>
    public int First => Starts.Min();

    /// <summary>One past the last.</summary>
    public int End => Starts.Zip(Counts, (s, c) => s + c).Max();

    private int Most { get; }

    /// <summary>The weights of an output pixel, which sum to 1.</summary>
    public ReadOnlySpan<float> Weights(int i) => weights.AsSpan(i * Most, Counts[i]);

    // Keys' cubic with a = −0.5, for 0 ≤ t ≤ 2
    private static float Cubic(float t) => t < 1 ? (1.5f * t - 2.5f) * t * t + 1 : ((-0.5f * t + 2.5f) * t - 4) * t + 2;
}
