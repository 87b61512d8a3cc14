using BenchmarkDotNet.Attributes;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Kernels;

/// <summary>AdamW's update of 4 million parameters.</summary>
public class OptimizerKernel
{
    private const int Count = 1 << 22;

    private static readonly AdamUpdate Update = new(1e-4, 0.04, 0.9, 0.999, 10);
    private Tensor[] arrays = [];                       // parameters, gradients, first and second moments

    /// <summary>Parameters and gradients of noise.</summary>
    [GlobalSetup]
    public void Draw() => arrays = [rand(Count), rand(Count), rand(Count), rand(Count)];

    /// <summary>libtorch's update of many tensors, which a CUDA device runs.</summary>
    [Benchmark(Baseline = true)]
    public void TensorOperations() => TensorLists.Adam([arrays[0]], [arrays[1]], [arrays[2]], [arrays[3]], Update);

    /// <summary>The processor's own.</summary>
    [Benchmark]
    public unsafe void OnePass()
    {
        fixed (byte* p = arrays[0].bytes, g = arrays[1].bytes, m = arrays[2].bytes, v = arrays[3].bytes)
            AdamKernel.Run((float*)p, (float*)g, (float*)m, (float*)v, Count, Update, threads: 1);
    }

    /// <summary>Frees the tensors.</summary>
    [GlobalCleanup]
    public void End()
    {
        foreach (var array in arrays) array.Dispose();
    }
}
