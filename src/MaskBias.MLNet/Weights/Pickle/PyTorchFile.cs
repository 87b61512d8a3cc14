using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// A file that <c>torch.save</c> wrote, in its zip format or the older one. Nested names are joined:
/// <c>teacher.backbone.cls_token</c>; texts and numbers, such as a script's arguments, are its metadata.
/// </summary>
/// <remarks>
/// The file is not trusted: its pickle is read as plain data (<see cref="Unpickler"/>), and everything that it says is checked when it is
/// opened. Tensors are read one by one, when asked for, straight from the file; also from several threads at once.
/// </remarks>
internal sealed class PyTorchFile : ITensorSource
{
    private static readonly byte[] LegacyStart = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    private readonly FileStream stream;
    private readonly OrderedDictionary<string, PickledTensor> tensors;
    private readonly StorageReader storages;

    private PyTorchFile(string path, FileStream stream, bool isZip)
    {
        (Path, this.stream) = (path, stream);
        var budget = new AllocationBudget(stream.Length);
        (Root, storages, var deflated) = isZip ? PyTorchZip.Read(stream, budget) : PyTorchLegacy.Read(stream, budget);
        var names = new StateNames(budget);
        names.Add(Root);
        (tensors, Metadata) = (names.Tensors, names.Texts);
        CheckTotal(deflated);
        Entries = [.. tensors.Select(t => new SafetensorsEntry(t.Key, t.Value.DType, t.Value.Shape))];
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <summary>What the pickle holds, as described at <see cref="Unpickler"/>.</summary>
    public object? Root { get; }

    /// <inheritdoc/>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Whether a file begins as one of PyTorch's does.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => IsZip(head) || head.StartsWith(LegacyStart);

    /// <summary>Opens a file and checks everything that its pickle says.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or its pickle names what it may not.</exception>
    public static PyTorchFile Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 4096, FileOptions.SequentialScan);
        try
        {
            Span<byte> head = stackalloc byte[4];
            bool isZip = IsZip(head[..RandomAccess.Read(stream.SafeFileHandle, head, 0)]);
            return new PyTorchFile(path, stream, isZip);
        }
        catch (InvalidDataException e)
        {
            stream.Dispose();
            throw new InvalidDataException($"{path} is not a PyTorch checkpoint that can be read: {e.Message}.", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor.</summary>
    /// <returns>A new contiguous CPU tensor, owned by the caller.</returns>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">Its bytes are damaged.</exception>
    public Tensor Read(string name)
    {
        TorchRuntime.EnsureLoaded();
        if (!tensors.TryGetValue(name, out var tensor)) throw new KeyNotFoundException($"{Path} has no tensor {name}.");
        using var scope = NewDisposeScope();
        if (tensor.IsContiguous)
        {
            var whole = empty(tensor.Shape, dtype: tensor.DType);
            TensorBytes.Visit(whole, (part, offset) => Copy(name, tensor, offset, part));
            return whole.MoveToOuterDisposeScope();
        }
        // from the first to the last element that it takes of its storage
        var run = empty([tensor.Extent], dtype: tensor.DType);
        TensorBytes.Visit(run, (part, offset) => Copy(name, tensor, offset, part));
        return run.as_strided(tensor.Shape, tensor.Strides).contiguous().MoveToOuterDisposeScope();
    }

    void ITensorSource.ReadInto(string name, Tensor target)
    {
        var tensor = tensors[name];
        if (target.device_type == DeviceType.CPU && target.dtype == tensor.DType && target.is_contiguous() && tensor.IsContiguous)
        {
            TensorBytes.Visit(target, (part, offset) => Copy(name, tensor, offset, part));
            return;
        }
        using var scope = NewDisposeScope();
        target.copy_(Read(name));
    }

    /// <summary>Closes the file; tensors that were read stay.</summary>
    public void Dispose() => stream.Dispose();

    private void Copy(string name, PickledTensor tensor, long offset, Span<byte> part)
    {
        try
        {
            storages(tensor.Storage.Key, tensor.ByteStart + offset, part);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{Path}, tensor {name}: {e.Message}.", e);
        }
        if (tensor.DType == ScalarType.Bool && part.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw new InvalidDataException($"{Path}, tensor {name}: a byte of a bool tensor is neither 0 nor 1.");
    }

    // Tensors may share storages; so a small file could describe endless ones, or few elements for which all of a storage is read: from
    // the first to the last, and where it is compressed from its beginning.
    private void CheckTotal(IReadOnlySet<string> deflated)
    {
        const int MostHeld = 2, MostRead = 32;
        UInt128 length = (ulong)stream.Length, held = 0, read = 0;
        foreach (var (name, tensor) in tensors)
        {
            held += (UInt128)(ulong)tensor.Count * (ulong)tensor.ElementSize;
            read += (UInt128)(ulong)tensor.Extent * (ulong)tensor.ElementSize;
            if (deflated.Contains(tensor.Storage.Key)) read += (ulong)tensor.ByteStart;
            if (held > MostHeld * length)
                throw new InvalidDataException($"up to {name} its tensors take {held} bytes, more than twice the file's {length}");
            if (read > MostRead * length)
            {
                throw new InvalidDataException($"up to {name} {read} bytes would be read for its tensors, more than {MostRead} times the "
                    + $"file's {length}: its storages are shared by too many; clone the tensors before torch.save");
            }
        }
    }

    private static bool IsZip(ReadOnlySpan<byte> head) => head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8);
}
