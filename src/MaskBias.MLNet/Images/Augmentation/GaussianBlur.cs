using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Blurs a plane on the processor by a Gaussian whose weights are shared out anew at the borders.</summary>
internal static class GaussianBlur
{
    // Beyond it a weight is under 1e-6 of the largest.
    private const double Reach = 5.3;

    /// <summary>Blurs in place.</summary>
    /// <param name="plane">[S, S].</param>
    /// <param name="size">The side S.</param>
    /// <param name="deviation">Of the Gaussian, in pixels.</param>
    public static void Apply(Span<float> plane, int size, float deviation)
    {
        int radius = Math.Min(size - 1, (int)Math.Ceiling(Reach * deviation)), padded = size + 2 * radius + Vector<float>.Count;
        Span<float> weights = stackalloc float[2 * radius + 1];
        for (int k = -radius; k <= radius; k++) weights[radius + k] = MathF.Exp(-0.5f * (k / deviation) * (k / deviation));
        float[] lent = ArrayPool<float>.Shared.Rent(plane.Length + size + padded);
        try
        {
            Span<float> vertical = lent.AsSpan(0, size * size), shares = lent.AsSpan(size * size, size);
            var line = lent.AsSpan(size * size + size, padded);
            for (int i = 0; i < size; i++) shares[i] = 1 / Sum(weights, i, size);
            for (int y = 0; y < size; y++) Column(plane, vertical.Slice(y * size, size), y, size, weights, shares[y]);
            line.Clear();                                       // what lies beyond the borders counts for nothing
            for (int y = 0; y < size; y++)
            {
                vertical.Slice(y * size, size).CopyTo(line[radius..]);
                Row(line, plane.Slice(y * size, size), weights, shares);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(lent);
        }
    }

    // Of the weights that lie inside, seen from pixel i.
    private static float Sum(ReadOnlySpan<float> weights, int i, int size)
    {
        int radius = weights.Length / 2;
        float sum = 0;
        for (int k = Math.Max(-radius, -i); k <= Math.Min(radius, size - 1 - i); k++) sum += weights[radius + k];
        return sum;
    }

    private static void Column(ReadOnlySpan<float> plane, Span<float> target, int y, int size, ReadOnlySpan<float> weights, float share)
    {
        int radius = weights.Length / 2, first = Math.Max(0, y - radius), last = Math.Min(size - 1, y + radius), x = 0;
        weights = weights.Slice(first - y + radius, last - first + 1);
        ref float source = ref MemoryMarshal.GetReference(plane);
        ref float result = ref MemoryMarshal.GetReference(target);
        for (; x <= size - Vector<float>.Count; x += Vector<float>.Count)
        {
            var sum = Vector<float>.Zero;
            nuint at = (nuint)(first * size + x);
            for (int k = 0; k < weights.Length; k++, at += (nuint)size)
                sum = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref source, at), new Vector<float>(weights[k]), sum);
            (sum * share).StoreUnsafe(ref result, (nuint)x);
        }
        for (; x < size; x++)
        {
            float sum = 0;
            for (int k = 0; k < weights.Length; k++) sum += plane[(first + k) * size + x] * weights[k];
            target[x] = sum * share;
        }
    }

    // The line has as many zeros before and after it as the weights reach.
    private static void Row(ReadOnlySpan<float> line, Span<float> target, ReadOnlySpan<float> weights, ReadOnlySpan<float> shares)
    {
        int x = 0;
        ref float source = ref MemoryMarshal.GetReference(line);
        ref float result = ref MemoryMarshal.GetReference(target);
        for (; x <= target.Length - Vector<float>.Count; x += Vector<float>.Count)
        {
            var sum = Vector<float>.Zero;
            for (int k = 0; k < weights.Length; k++)
                sum = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref source, (nuint)(x + k)), new Vector<float>(weights[k]), sum);
            (sum * new Vector<float>(shares[x..])).StoreUnsafe(ref result, (nuint)x);
        }
        for (; x < target.Length; x++)
        {
            float sum = 0;
            for (int k = 0; k < weights.Length; k++) sum += line[x + k] * weights[k];
            target[x] = sum * shares[x];
        }
    }
}
