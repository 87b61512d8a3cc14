using TorchSharp;

namespace MaskBias.MLNet.Tests;

/// <summary>Tests that count the tensors of the whole process: they run alone.</summary>
[CollectionDefinition(nameof(LiveTensors), DisableParallelization = true)]
public sealed class LiveTensors
{
    /// <summary>The number of live tensors, once finalizers have taken what earlier tests left behind.</summary>
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
