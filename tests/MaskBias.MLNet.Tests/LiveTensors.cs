using TorchSharp;

namespace MaskBias.MLNet.Tests;

/// <summary>Tests of what the whole process shares: its count of tensors, its memory, its threads, its open files, its random
/// state. They run alone.</summary>
[CollectionDefinition(nameof(LiveTensors), DisableParallelization = true)]
public sealed class LiveTensors
{
    /// <summary>
    /// Tensors that this thread has made less those that it has disposed; what is left to finalizers counts as live. Unlike
    /// <see cref="torch.Tensor.TotalCount"/>, which TorchSharp 0.107 raises by one for good with every parameter of a new module.
    /// </summary>
    public static long OfThisThread => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    /// <summary>The number of live tensors in the process, once finalizers have taken what earlier tests left behind.</summary>
    public static long InProcess()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
