using System.Buffers;
using System.Numerics;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Blurs a plane on the processor by a Gaussian whose weights are shared out anew at the borders.</summary>
internal static class GaussianBlur
{
    // Of what lies beyond it, all together has less than 1e-4 of the weight: under a hundredth of a grey level.
    private const double Reach = 4;

    /// <summary>Blurs in place.</summary>
    /// <param name="plane">[S, S].</param>
    /// <param name="size">The side S.</param>
    /// <param name="deviation">Of the Gaussian, in pixels.</param>
    public static void Apply(Span<float> plane, int size, float deviation)
    {
        int radius = Math.Min(size - 1, (int)Math.Ceiling(Reach * deviation)), padded = size + 2 * radius;
        Span<float> weights = stackalloc float[2 * radius + 1], inside = stackalloc float[2 * radius + 1];
        for (int k = -radius; k <= radius; k++) weights[radius + k] = MathF.Exp(-0.5f * (k / deviation) * (k / deviation));
        float[] lent = ArrayPool<float>.Shared.Rent(plane.Length + size + padded);
        try
        {
            Span<float> vertical = lent.AsSpan(0, size * size), shares = lent.AsSpan(size * size, size);
            var line = lent.AsSpan(size * size + size, padded);
            for (int y = 0; y < size; y++)
            {
                int first = Math.Max(0, y - radius), last = Math.Min(size - 1, y + radius);
                var used = inside[..(last - first + 1)];
                shares[y] = Share(weights.Slice(first - y + radius, used.Length), used);
                WeightedRows.Sum(plane, first * size, size, used, vertical.Slice(y * size, size));
            }
            line.Clear();                                       // what lies beyond the borders counts for nothing
            for (int y = 0; y < size; y++)
            {
                var target = plane.Slice(y * size, size);
                vertical.Slice(y * size, size).CopyTo(line[radius..]);
                WeightedRows.Sum(line, 0, 1, weights, target);
                Multiply(target, shares);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(lent);
        }
    }

    // Weights that sum to 1; returns the factor that made them.
    private static float Share(ReadOnlySpan<float> weights, Span<float> shared)
    {
        float sum = 0;
        foreach (float weight in weights) sum += weight;
        for (int i = 0; i < weights.Length; i++) shared[i] = weights[i] / sum;
        return 1 / sum;
    }

    private static void Multiply(Span<float> values, ReadOnlySpan<float> factors)
    {
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(values[i..]) * new Vector<float>(factors[i..])).CopyTo(values[i..]);
        for (; i < values.Length; i++) values[i] *= factors[i];
    }
}
