using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// Memory for weights that are about to be loaded, taken from the system in large blocks, which it can give as large pages: a block for every
/// weight costs more faults of memory pages than reading it from a fast disk takes. A block is freed with the last weight in it.
/// </summary>
internal sealed class WeightMemory : IDisposable
{
    private const long BlockLength = 1 << 24, Alignment = 16;      // in elements: 64 MiB, and 64 bytes as libtorch has it

    private Tensor? block;
    private long taken;

    /// <summary>Reserves a tensor of float32, which holds what happens to be there.</summary>
    public Tensor Take(params long[] shape)
    {
        long count = shape.Aggregate(1L, (product, size) => checked(product * size));
        if (block is null || taken + count > block.NumberOfElements)
        {
            block?.Dispose();
            block = LargePages.Under(empty(Math.Max(count, BlockLength), dtype: ScalarType.Float32)).DetachFromDisposeScope();
            taken = 0;
        }
        using var scope = NewDisposeScope();
        // not a view, whose changes would count as changes of all
        var tensor = empty(0, dtype: ScalarType.Float32).set_(block.narrow(0, taken, count).view(shape));
        taken += (count + Alignment - 1) / Alignment * Alignment;
        return tensor.MoveToOuterDisposeScope();
    }

    /// <summary>Lets go of the block; the weights in it keep it.</summary>
    public void Dispose() => block?.Dispose();
}
