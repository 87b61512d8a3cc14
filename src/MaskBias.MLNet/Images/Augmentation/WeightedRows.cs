using System.Numerics;
using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Sums of neighbouring rows, each with a weight: a filter along one side of an image.</summary>
internal static class WeightedRows
{
    /// <summary>target[i] = Σ_t weights[t] · source[start + t·stride + i].</summary>
    public static void Sum(ReadOnlySpan<float> source, int start, int stride, ReadOnlySpan<float> weights, Span<float> target)
    {
        if (target.IsEmpty || weights.IsEmpty) return;
        source = source.Slice(start, (weights.Length - 1) * stride + target.Length);
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(target);
        int lanes = Vector<float>.Count, i = 0;
        // Four sums at once: each waits for its own last product only.
        for (; i <= target.Length - 4 * lanes; i += 4 * lanes)
        {
            Vector<float> first = default, second = default, third = default, fourth = default;
            nuint at = (nuint)i;
            foreach (float weight in weights)
            {
                var w = new Vector<float>(weight);
                first = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref from, at), w, first);
                second = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref from, at + (nuint)lanes), w, second);
                third = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref from, at + (nuint)(2 * lanes)), w, third);
                fourth = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref from, at + (nuint)(3 * lanes)), w, fourth);
                at += (nuint)stride;
            }
            first.StoreUnsafe(ref to, (nuint)i);
            second.StoreUnsafe(ref to, (nuint)(i + lanes));
            third.StoreUnsafe(ref to, (nuint)(i + 2 * lanes));
            fourth.StoreUnsafe(ref to, (nuint)(i + 3 * lanes));
        }
        for (; i <= target.Length - lanes; i += lanes)
        {
            var sum = Vector<float>.Zero;
            nuint at = (nuint)i;
            foreach (float weight in weights)
            {
                sum = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref from, at), new Vector<float>(weight), sum);
                at += (nuint)stride;
            }
            sum.StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < target.Length; i++)
        {
            float sum = 0;
            for (int t = 0; t < weights.Length; t++) sum += source[t * stride + i] * weights[t];
            target[i] = sum;
        }
    }
}
