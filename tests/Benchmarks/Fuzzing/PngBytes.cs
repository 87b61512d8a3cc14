using System.Buffers.Binary;
using System.IO.Compression;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>Writes PNG files of any kind of samples, sound or not; the checksums are always right.</summary>
internal static class PngBytes
{
    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes samples row by row, each row with the filter that its number says.</summary>
    /// <param name="width">Pixels per row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="colorType">0 grey, 2 colours, 3 palette, 4 and 6 with alpha.</param>
    /// <param name="bits">Bits per sample.</param>
    /// <param name="sample">Gives the sample of x, y and channel.</param>
    /// <param name="interlaced">Whether the rows are in Adam7's order.</param>
    public static byte[] Write(int width, int height, int colorType, int bits, Func<int, int, int, int> sample, bool interlaced = false)
    {
        int channels = colorType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var rows = new MemoryStream();
        (int, int, int, int)[] passes = interlaced
            ? [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)] : [(0, 0, 1, 1)];
        foreach (var (top, left, down, across) in passes)
        {
            int columns = (width - left + across - 1) / across;
            if (columns <= 0) continue;
            byte[] above = new byte[(columns * channels * bits + 7) / 8];
            for (int y = top, number = 0; y < height; y += down, number++)
            {
                byte[] row = new byte[above.Length];
                for (int i = 0; i < columns * channels; i++)
                {
                    int value = sample(left + i / channels * across, y, i % channels);
                    if (bits == 16) BinaryPrimitives.WriteUInt16BigEndian(row.AsSpan(2 * i), (ushort)value);
                    else row[i * bits / 8] |= (byte)(value << 8 - bits - i * bits % 8);
                }
                rows.WriteByte((byte)(number % 5));
                rows.Write(Filter(number % 5, row, above, Math.Max(1, channels * bits / 8)));
                above = row;
            }
        }
        return File(Header(width, height, colorType, bits, interlaced ? 1 : 0), Deflate(rows.ToArray()), colorType == 3);
    }

    public static byte[] Header(int width, int height, int colorType, int bits, int interlace)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)bits, (byte)colorType, (byte)interlace);
        return header;
    }

    public static byte[] Deflate(byte[] rows)
    {
        var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest)) zlib.Write(rows);
        return compressed.ToArray();
    }

    /// <summary>Joins the parts; the data are divided in two, as encoders do.</summary>
    public static byte[] File(byte[] header, byte[] data, bool hasPalette) =>
    [
        .. Signature, .. Chunk("IHDR"u8, header), .. hasPalette ? Chunk("PLTE"u8, new byte[768]) : [],
        .. Chunk("IDAT"u8, data[..(data.Length / 2)]), .. Chunk("IDAT"u8, data[(data.Length / 2)..]), .. Chunk("IEND"u8, []),
    ];

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        byte[] chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
        }
        return ~crc;
    }

    private static byte[] Filter(int filter, byte[] row, byte[] above, int pixel)
    {
        byte[] filtered = new byte[row.Length];
        for (int i = 0; i < row.Length; i++)
        {
            int left = i >= pixel ? row[i - pixel] : 0, up = above[i], corner = i >= pixel ? above[i - pixel] : 0, p = left + up - corner;
            int nearest = new[] { left, up, corner }.MinBy(v => Math.Abs(p - v));
            filtered[i] = (byte)(row[i] - filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, _ => nearest });
        }
        return filtered;
    }
}
