using System.Text.Json;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>Parses and checks the JSON header of a safetensors file, which is not trusted.</summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataKey = "__metadata__";
    public const int MaxLength = 100_000_000;       // the format's own limit
    private const int MaxRank = 64;                 // PyTorch's

    private readonly string file;
    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file) => this.file = file;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; private set; } = [];

    /// <summary>Parses a header.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <param name="file">The file's name, for errors.</param>
    /// <exception cref="InvalidDataException">The header breaks the format, or does not describe the data that follow.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string file)
    {
        var header = new SafetensorsHeader(file);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            reader.Read();
            header.ReadTensors(ref reader);
            if (reader.Read()) throw header.Fault("its header goes on after the closing brace");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)      // the latter: text that is not UTF-8
        {
            throw new InvalidDataException($"{file} is not a safetensors file: its header is not the JSON expected: {e.Message}", e);
        }
        header.Entries = header.Arrange(dataLength);
        return header;
    }

    private void ReadTensors(ref Utf8JsonReader reader)
    {
        Expect(in reader, JsonTokenType.StartObject, "the header");
        bool hasMetadata = false;
        while (NextProperty(ref reader) is { } name)
        {
            if (name == MetadataKey)
            {
                if (hasMetadata) throw Fault($"{MetadataKey} appears twice");
                hasMetadata = true;
                ReadMetadata(ref reader);
            }
            else if (!entries.TryAdd(name, ReadEntry(ref reader, name)))
            {
                throw Fault("it appears twice", name);
            }
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(in reader, JsonTokenType.StartObject, MetadataKey);
        while (NextProperty(ref reader) is { } name)
        {
            Expect(in reader, JsonTokenType.String, $"{MetadataKey}.{name}");
            if (!metadata.TryAdd(name, reader.GetString()!)) throw Fault($"{MetadataKey}.{name} appears twice");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string tensor)
    {
        Expect(in reader, JsonTokenType.StartObject, tensor);
        ScalarType? type = null;
        long[]? shape = null, offsets = null;
        while (NextProperty(ref reader) is { } name)
        {
            switch (name)
            {
                case "dtype" when type is null: type = ReadType(ref reader, tensor); break;
                case "shape" when shape is null: shape = ReadNumbers(ref reader, tensor, name); break;
                case "data_offsets" when offsets is null: offsets = ReadNumbers(ref reader, tensor, name); break;
                default: throw Fault($"its property {name} is unknown or appears twice", tensor);
            }
        }
        if (type is null || shape is null || offsets is null) throw Fault("it lacks dtype, shape or data_offsets", tensor);
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw Fault($"data_offsets are [{string.Join(", ", offsets)}]; they must be [begin, end]", tensor);
        var entry = new SafetensorsEntry(tensor, type.Value, shape) { Offset = offsets[0], Length = offsets[1] - offsets[0] };
        CheckLength(entry);
        return entry;
    }

    private ScalarType ReadType(ref Utf8JsonReader reader, string tensor)
    {
        Expect(in reader, JsonTokenType.String, $"{tensor}.dtype");
        string name = reader.GetString()!;
        return SafetensorsTypes.Find(name) ?? throw Fault($"dtype is {name}; it must be one of {SafetensorsTypes.Names}", tensor);
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string tensor, string property)
    {
        Expect(in reader, JsonTokenType.StartArray, $"{tensor}.{property}");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (numbers.Count == MaxRank) throw Fault($"{property} has more than {MaxRank} numbers", tensor);
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw Fault($"{property} holds something other than whole numbers from 0", tensor);
            numbers.Add(number);
        }
        return numbers.ToArray();
    }

    private void CheckLength(SafetensorsEntry entry)
    {
        // Dimensions of 0 last: [0, 2^62, 2^62] has no elements and yet overflows.
        UInt128 bytes = (UInt128)SafetensorsTypes.SizeOf(entry.DType), nonZero = bytes;
        foreach (long size in entry.Shape)
        {
            bytes *= (ulong)size;
            if (size > 0) nonZero *= (ulong)size;
            if (nonZero > long.MaxValue) throw Fault($"shape [{string.Join(", ", entry.Shape)}] is too large", entry.Name);
        }
        if (bytes != (ulong)entry.Length)
        {
            string type = SafetensorsTypes.NameOf(entry.DType)!;
            throw Fault($"it has {entry.Length} bytes; {type} [{string.Join(", ", entry.Shape)}] takes {bytes}", entry.Name);
        }
    }

    // As the format demands, the tensors cover the data without holes and overlaps.
    private SafetensorsEntry[] Arrange(long dataLength)
    {
        var ordered = entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.Length).ToArray();
        long end = 0;
        foreach (var entry in ordered)
        {
            if (entry.Offset != end)
                throw Fault($"its data begin at byte {entry.Offset}; the previous tensor's end at {end}", entry.Name);
            end += entry.Length;
            if (end > dataLength) throw Fault($"its data end at byte {end}; the file holds {dataLength} (is it cut short?)", entry.Name);
        }
        if (end != dataLength) throw Fault($"{dataLength} bytes of data follow the header, of which its tensors cover {end}");
        return ordered;
    }

    // Moves to the value of the next property; null at the object's end.
    private static string? NextProperty(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.PropertyName) return null;
        string name = reader.GetString()!;
        reader.Read();
        return name;
    }

    private void Expect(in Utf8JsonReader reader, JsonTokenType token, string what)
    {
        if (reader.TokenType != token) throw Fault($"{what} is {reader.TokenType}; it must be {token}");
    }

    private InvalidDataException Fault(string problem, string? tensor = null) =>
        new(tensor is null ? $"{file} is not a valid safetensors file: {problem}." : $"{file}, tensor {tensor}: {problem}.");
}
