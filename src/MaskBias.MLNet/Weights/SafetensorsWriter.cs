using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>Writes safetensors files.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes tensors to a file; it appears, or replaces an older one, only when complete.</summary>
    /// <param name="path">The file; its folder is created where missing.</param>
    /// <param name="tensors">Names and tensors, on any device. Larger element types come first in the file; else the order is kept.</param>
    /// <param name="metadata">Free-form text to store with them.</param>
    /// <exception cref="ArgumentException">Two tensors share a name, or one has an element type that the format lacks.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        // Larger elements first keeps every tensor aligned to its own size.
        var ordered = tensors.ToList();
        Check(ordered);
        ordered = ordered.OrderByDescending(t => SafetensorsTypes.SizeOf(t.Value.dtype)).ToList();

        byte[] header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in ordered) WriteData(stream, tensor);
        });
    }

    private static void Check(List<KeyValuePair<string, Tensor>> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            if (string.IsNullOrEmpty(name) || name == SafetensorsHeader.MetadataKey)
                throw new ArgumentException($"\"{name}\" cannot be a tensor's name.", nameof(tensors));
            if (!names.Add(name)) throw new ArgumentException($"Two tensors are named {name}.", nameof(tensors));
            if (SafetensorsTypes.NameOf(tensor.dtype) is null)
                throw new ArgumentException($"Tensor {name} is {tensor.dtype}; it must be one of {SafetensorsTypes.Names}.");
        }
    }

    private static byte[] Header(List<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                long end = offset + tensor.NumberOfElements * SafetensorsTypes.SizeOf(tensor.dtype);
                json.WriteStartObject(name);
                json.WriteString("dtype", SafetensorsTypes.NameOf(tensor.dtype));
                WriteNumbers(json, "shape", tensor.shape);
                WriteNumbers(json, "data_offsets", [offset, end]);
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        while (buffer.Length % Alignment != 0) buffer.WriteByte((byte)' ');
        if (buffer.Length > SafetensorsHeader.MaxLength)
            throw new ArgumentException($"The header would have {buffer.Length} bytes; the format allows {SafetensorsHeader.MaxLength}.");
        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    // One tensor at a time: only what lies on another device, or is not contiguous, is copied.
    private static void WriteData(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        TensorBytes.Visit(tensor.detach().cpu().contiguous(), (part, _) => stream.Write(part));
    }
}
