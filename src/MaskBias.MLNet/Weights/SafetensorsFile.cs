using System.Buffers.Binary;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>An open safetensors file: tensors are read one by one, when asked for.</summary>
/// <remarks>
/// The file is not trusted: its header is checked as a whole when it is opened, before anything is allocated by its word.
/// Reading is safe from several threads at once; not so together with <see cref="Dispose"/>.
/// </remarks>
public sealed class SafetensorsFile : ITensorSource
{
    private const int PrefixLength = 8;

    private readonly FileStream stream;
    private readonly string path;
    private readonly long dataStart;
    private readonly Dictionary<string, SafetensorsEntry> byName;

    private SafetensorsFile(string path, FileStream stream, long length)
    {
        (this.path, this.stream) = (path, stream);
        byte[] header = ReadHeader(length);
        dataStart = PrefixLength + header.Length;
        var parsed = SafetensorsHeader.Parse(header, length - dataStart, path);
        (Metadata, Entries) = (parsed.Metadata, parsed.Entries);
        byName = Entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
    }

    /// <summary>The file, as it was named when opened.</summary>
    public string Path => path;

    /// <summary>The file's free-form metadata; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a valid safetensors file; the message names the tensor and the fault.</exception>
    public static SafetensorsFile Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        try
        {
            long length = stream.Length;
            if (length < PrefixLength)
                throw new InvalidDataException($"{path} is not a safetensors file: it has {length} bytes; at least {PrefixLength} are needed.");
            return new SafetensorsFile(path, stream, length);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>A new CPU tensor of the entry's shape and type, owned by the caller.</returns>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">
    /// A BOOL tensor holds a byte other than 0 and 1, or the file has become shorter since it was opened.
    /// </exception>
    public Tensor Read(string name)
    {
        if (!byName.TryGetValue(name, out var entry))
        {
            string known = string.Join(", ", Entries.Take(20).Select(e => e.Name));
            string more = Entries.Count > 20 ? ", …" : "";
            throw new KeyNotFoundException($"{path} has no tensor {name}. It has {Entries.Count}: {known}{more}.");
        }
        TorchRuntime.EnsureLoaded();
        var tensor = empty(entry.Shape.ToArray(), dtype: entry.DType);
        try
        {
            TensorBytes.Visit(tensor, (part, offset) => Copy(entry, offset, part));
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    // Straight into the target's memory, where it is of the same kind: whole encoders are not written twice.
    void ITensorSource.ReadInto(string name, Tensor target)
    {
        if (byName[name] is var entry && target.device_type == DeviceType.CPU && target.dtype == entry.DType && target.is_contiguous())
        {
            TensorBytes.Visit(target, (part, offset) => Copy(entry, offset, part));
            return;
        }
        using var scope = NewDisposeScope();
        target.copy_(Read(name));
    }

    /// <summary>Closes the file; tensors that were read stay.</summary>
    public void Dispose() => stream.Dispose();

    // The system's own copy is twice as fast as one through mapped pages, and a file that others cut short meanwhile is an error, where
    // mapped pages would end the process.
    private void Copy(SafetensorsEntry entry, long offset, Span<byte> part)
    {
        ReadBytes(dataStart + entry.Offset + offset, part, $"tensor {entry.Name}");
        if (entry.DType == ScalarType.Bool && part.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw new InvalidDataException($"{path}, tensor {entry.Name}: a BOOL byte is neither 0 nor 1.");
    }

    private byte[] ReadHeader(long length)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        ReadBytes(0, prefix, "header");
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (size > SafetensorsHeader.MaxLength || size > (ulong)(length - PrefixLength))
        {
            long most = Math.Min(SafetensorsHeader.MaxLength, length - PrefixLength);
            throw new InvalidDataException($"{path} is not a safetensors file: its header would have {size} bytes; at most {most} can be.");
        }
        var header = new byte[(int)size];
        ReadBytes(PrefixLength, header, "header");
        return header;
    }

    private void ReadBytes(long position, Span<byte> part, string what)
    {
        if (!FileBytes.TryRead(stream.SafeFileHandle, position, part))
            throw new InvalidDataException($"{path}, {what}: the file has become shorter since it was opened.");
    }
}
