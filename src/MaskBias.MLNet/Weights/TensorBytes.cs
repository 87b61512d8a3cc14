using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>Gives access to a tensor's memory in parts, because a span ends at 2 GiB.</summary>
internal static class TensorBytes
{
    private const long PartLength = 1 << 28;

    /// <summary>Receives a part of the memory and its place in bytes.</summary>
    public delegate void Visitor(Span<byte> part, long offset);

    /// <summary>Visits the memory of a contiguous CPU tensor from beginning to end.</summary>
    public static void Visit(Tensor tensor, Visitor visitor)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.detach().view(-1);
        long size = flat.ElementSize, step = PartLength / size;
        for (long start = 0; start < flat.NumberOfElements; start += step)
        {
            using var part = flat.narrow(0, start, Math.Min(step, flat.NumberOfElements - start));
            visitor(part.bytes, start * size);
        }
    }
}
