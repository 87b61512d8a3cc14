using System.Numerics;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Training;

/// <summary>AdamW's update on the processor in one pass over memory, which is what bounds it: four values read, three written.</summary>
internal static class AdamKernel
{
    // Of one task; its four arrays fit a core's cache.
    private const int Chunk = 1 << 16;

    /// <summary>Updates n values by as many threads.</summary>
    /// <param name="p">Parameters, n of them.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="m">Moving means of the gradients.</param>
    /// <param name="v">Moving means of the gradients' squares.</param>
    /// <param name="n">How many.</param>
    /// <param name="update">The numbers of the update.</param>
    /// <param name="threads">How many threads work on it.</param>
    public static unsafe void Run<T>(T* p, T* g, T* m, T* v, long n, AdamUpdate update, int threads)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (n <= Chunk || threads <= 1)
        {
            Range(p, g, m, v, n, update);
            return;
        }
        long chunks = (n + Chunk - 1) / Chunk;
        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            long start = i * Chunk;
            Range(p + start, g + start, m + start, v + start, Math.Min(Chunk, n - start), update);
        });
    }

    private static unsafe void Range<T>(T* p, T* g, T* m, T* v, long n, AdamUpdate update) where T : unmanaged, IFloatingPointIeee754<T>
    {
        T beta1 = T.CreateTruncating(update.Beta1), rest1 = T.CreateTruncating(1 - update.Beta1);
        T beta2 = T.CreateTruncating(update.Beta2), rest2 = T.CreateTruncating(1 - update.Beta2);
        T kept = T.CreateTruncating(update.Kept), size = T.CreateTruncating(update.StepSize);
        T scale = T.CreateTruncating(update.SecondScale), epsilon = T.CreateTruncating(AdamUpdate.Epsilon);
        long i = 0;
        Vector<T> scales = new(scale), epsilons = new(epsilon);
        for (; i <= n - Vector<T>.Count; i += Vector<T>.Count)
        {
            var gradient = Vector.Load(g + i);
            var first = Vector.Load(m + i) * beta1 + gradient * rest1;
            var second = Vector.Load(v + i) * beta2 + gradient * gradient * rest2;
            Vector.Store(first, m + i);
            Vector.Store(second, v + i);
            var divisor = Vector.SquareRoot(second) / scales + epsilons;
            Vector.Store(Vector.Load(p + i) * kept - first * size / divisor, p + i);
        }
        for (; i < n; i++)
        {
            m[i] = m[i] * beta1 + g[i] * rest1;
            v[i] = v[i] * beta2 + g[i] * g[i] * rest2;
            p[i] = p[i] * kept - m[i] * size / (T.Sqrt(v[i]) / scale + epsilon);
        }
    }
}
