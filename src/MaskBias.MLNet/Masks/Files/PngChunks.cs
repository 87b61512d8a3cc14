using System.Buffers.Binary;
using System.IO.Compression;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>The parts of a PNG file that say what its samples are, checked: the header and the compressed data.</summary>
internal sealed class PngChunks
{
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(n => CrcOf((uint)n))];

    private readonly List<ReadOnlyMemory<byte>> data = [];

    private PngChunks(ReadOnlySpan<byte> header)
    {
        (Width, Height) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        (BitDepth, ColorType, Compression, Filter, Interlace) = (header[8], header[9], header[10], header[11], header[12]);
    }

    public long Width { get; }

    public long Height { get; }

    public int BitDepth { get; }

    public int ColorType { get; }

    public int Compression { get; }

    public int Filter { get; }

    public int Interlace { get; }

    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <exception cref="InvalidDataException">The file is not a PNG, is truncated or damaged.</exception>
    public static PngChunks Read(ReadOnlyMemory<byte> file, string name)
    {
        if (!file.Span.StartsWith(Signature)) throw new InvalidDataException($"{name} is not a PNG file.");
        PngChunks? png = null;
        for (int position = Signature.Length; ;)
        {
            var rest = file.Span[position..];
            long length = rest.Length < 12 ? long.MaxValue : BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12) throw new InvalidDataException($"{name} is truncated: it ends within its parts.");
            var type = rest.Slice(4, 4);
            if (Crc(rest.Slice(4, 4 + (int)length)) != BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + (int)length)..]))
                throw new InvalidDataException($"{name} is damaged: a part's checksum is wrong.");

            if (png is null)
            {
                if (!type.SequenceEqual("IHDR"u8) || length != 13) throw new InvalidDataException($"{name} is damaged: it does not start with its header.");
                png = new(rest.Slice(8, 13));
            }
            else if (type.SequenceEqual("IDAT"u8))
            {
                png.data.Add(file.Slice(position + 8, (int)length));
            }
            else if (type.SequenceEqual("IEND"u8))
            {
                return png;
            }
            position += 12 + (int)length;
        }
    }

    /// <summary>The filtered rows, decompressed as they are read.</summary>
    public Stream OpenData()
    {
        byte[] joined = new byte[data.Sum(part => part.Length)];
        int position = 0;
        foreach (var part in data)
        {
            part.CopyTo(joined.AsMemory(position));
            position += part.Length;
        }
        return new ZLibStream(new MemoryStream(joined, writable: false), CompressionMode.Decompress);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes) crc = CrcTable[(byte)crc ^ b] ^ crc >> 8;
        return ~crc;
    }

    private static uint CrcOf(uint value)
    {
        for (int bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : value >> 1 ^ 0xEDB88320;
        return value;
    }
}
