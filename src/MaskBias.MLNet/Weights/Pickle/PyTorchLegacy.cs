using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Numerics;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>PyTorch's format before 1.6: five pickles one after the other, then each storage with its length before it.</summary>
internal static class PyTorchLegacy
{
    private const long Protocol = 1001;
    private static readonly BigInteger Magic = BigInteger.Parse("119547037146038801333356");

    /// <summary>Reads the pickles, and finds the storages that they name.</summary>
    public static (object? Root, StorageReader Storages, IReadOnlySet<string> Deflated) Read(FileStream stream, AllocationBudget budget)
    {
        var unpickler = new Unpickler(stream, budget);
        if (unpickler.Load() is not BigInteger magic || magic != Magic)
            throw new InvalidDataException("it does not begin as torch.save's files do");
        if (unpickler.Load() is not Protocol) throw new InvalidDataException($"its version is not {Protocol}, the only one there is");
        if (unpickler.Load() is not PickleDictionary system || system["little_endian"] is not true)
            throw new InvalidDataException("its byte order is not little, the only one that is read");
        object? root = unpickler.Load();
        if (unpickler.Load() is not List<object?> keys) throw new InvalidDataException("the list of its storages is missing");
        var starts = Find(unpickler.Storages, keys, stream);
        var file = stream.SafeFileHandle;
        return (root, (key, position, part) =>
        {
            if (!FileBytes.TryRead(file, starts[key] + position, part))
                throw new InvalidDataException("the file has become shorter since it was opened");
        }, FrozenSet<string>.Empty);
    }

    // Where each storage's bytes begin.
    private static Dictionary<string, long> Find(
        IReadOnlyDictionary<string, PickledStorage> named, List<object?> keys, FileStream stream)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        long position = stream.Position;
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        foreach (object? item in keys)
        {
            if (item is not string key || !named.TryGetValue(key, out var storage))
                throw new InvalidDataException("it holds a storage that no tensor names, so that its length is unknown");
            int size = PyTorchTypes.SizeOf(storage.Type);
            if (!FileBytes.TryRead(stream.SafeFileHandle, position, prefix))
                throw new InvalidDataException($"it ends before storage {key} (is it cut short?)");
            long count = BinaryPrimitives.ReadInt64LittleEndian(prefix), left = stream.Length - position - prefix.Length;
            if (count != storage.WholeCount)
                throw new InvalidDataException($"storage {key} has {count} elements; its pickle says {storage.WholeCount}");
            if (count > left / size)
                throw new InvalidDataException($"storage {key} takes {count} elements of {size} bytes; {left} bytes are left (is it"
                    + " cut short?)");
            if (!found.TryAdd(key, position + prefix.Length)) throw new InvalidDataException($"storage {key} appears twice");
            position += prefix.Length + count * size;
        }
        if (named.Keys.FirstOrDefault(k => !found.ContainsKey(k)) is { } missing)
            throw new InvalidDataException($"storage {missing} is missing");
        return found;
    }
}
