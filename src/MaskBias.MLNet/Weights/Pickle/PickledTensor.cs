using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A tensor as a view of a storage.</summary>
/// <param name="Storage">The storage.</param>
/// <param name="DType">Its element type; the storage's, but where that has none.</param>
/// <param name="Start">Its first element, counted in elements of its own type.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Strides">Elements from one index to the next, per dimension.</param>
internal sealed record PickledTensor(PickledStorage Storage, ScalarType DType, long Start, long[] Shape, long[] Strides)
{
    private const int MaxRank = 64;

    /// <summary>Number of elements.</summary>
    public long Count { get; private init; }

    /// <summary>Elements of the storage from the first to the last that are used.</summary>
    public long Extent { get; private init; }

    public int ElementSize => PyTorchTypes.SizeOf(DType);

    /// <summary>Place of its first byte in the named data.</summary>
    public long ByteStart => Storage.Start * PyTorchTypes.SizeOf(Storage.Type) + Start * ElementSize;

    /// <summary>Whether its elements lie one after the other, in order.</summary>
    public bool IsContiguous
    {
        get
        {
            long step = 1;
            for (int i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != step) return Count == 0;
                step *= Shape[i];
            }
            return true;
        }
    }

    /// <summary>Makes a tensor of what a pickle says, which is not trusted.</summary>
    /// <exception cref="InvalidDataException">It reaches out of its storage.</exception>
    public static PickledTensor Create(PickledStorage storage, ScalarType type, long start, long[] shape, long[] strides)
    {
        if (shape.Length > MaxRank || shape.Length != strides.Length || start < 0 || shape.Any(n => n < 0) || strides.Any(n => n < 0))
            throw new InvalidDataException($"a tensor is [{List(shape)}] with strides [{List(strides)}] from {start}, which is impossible");
        UInt128 count = 1, extent = 1;
        bool empty = shape.Contains(0);
        for (int i = 0; i < shape.Length && !empty; i++)
        {
            count *= (ulong)shape[i];
            extent += (UInt128)(ulong)(shape[i] - 1) * (ulong)strides[i];
            if (count > long.MaxValue || extent > long.MaxValue) break;
        }
        if (empty) (count, extent) = (0, 0);
        UInt128 held = (UInt128)(ulong)storage.Count * (ulong)PyTorchTypes.SizeOf(storage.Type), size = (ulong)PyTorchTypes.SizeOf(type);
        if (count > long.MaxValue || ((ulong)start + extent) * size > held)
        {
            throw new InvalidDataException($"a tensor is [{List(shape)}] with strides [{List(strides)}] from {start} of storage "
                + $"{storage.Key}, which has only {storage.Count} elements");
        }
        return new(storage, type, start, shape, strides) { Count = (long)count, Extent = (long)extent };
    }

    private static string List(long[] numbers) => string.Join(", ", numbers.Take(MaxRank));
}
