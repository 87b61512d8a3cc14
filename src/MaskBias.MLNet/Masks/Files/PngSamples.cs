using System.Buffers.Binary;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// Reads the samples of a PNG as they are stored, row by row: palette indices rather than colours, and all 16 bits. Image decoders give
/// neither.
/// </summary>
/// <remarks>What is allocated depends on the row's length and on the data, never on the height that a header claims.</remarks>
internal sealed class PngSamples : IDisposable
{
    private const int MaxInterlacedPixels = 1 << 24;

    private readonly string name;
    private readonly PngChunks png;
    private readonly Stream data;
    private byte[] current, previous;
    private ushort[]? interlaced;           // all samples, of which the rows are given one by one
    private int nextRow;

    /// <exception cref="InvalidDataException">The file is not a PNG, damaged, or larger than masks may be.</exception>
    public PngSamples(ReadOnlyMemory<byte> file, string name)
    {
        this.name = name;
        png = PngChunks.Read(file, name);
        if (MaskSet.SizeFault(png.Height, png.Width) is { } fault) throw new InvalidDataException($"{name}: {fault}");
        Channels = ChannelsOf(png.ColorType, png.BitDepth);
        if (Channels == 0 || png.Compression != 0 || png.Filter != 0 || png.Interlace > 1)
            throw new InvalidDataException($"{name} is damaged: PNG knows no colour type {png.ColorType} of {png.BitDepth} bits, interlace {png.Interlace}.");
        if (png.Interlace == 1 && Height * Width > MaxInterlacedPixels)
            throw new InvalidDataException($"{name} is interlaced and {Width}x{Height}; save it without interlacing.");
        (current, previous) = (new byte[RowBytes(Width)], new byte[RowBytes(Width)]);
        data = png.OpenData();
    }

    public int Height => (int)png.Height;

    public int Width => (int)png.Width;

    /// <summary>Samples per pixel: 1 for grey and palette indices, 2 with alpha; 3 for colours, 4 with alpha.</summary>
    public int Channels { get; }

    /// <summary>Largest sample.</summary>
    public int MaxSample => (1 << png.BitDepth) - 1;

    /// <summary>Reads the next row into width · channels samples.</summary>
    /// <exception cref="InvalidDataException">The data end early or are damaged.</exception>
    public void ReadRow(Span<ushort> samples)
    {
        if (png.Interlace == 1)
        {
            interlaced ??= ReadInterlaced();
            interlaced.AsSpan(nextRow++ * Width * Channels, Width * Channels).CopyTo(samples);
        }
        else
        {
            ReadRow(Width, samples);
        }
    }

    public void Dispose() => data.Dispose();

    private static int ChannelsOf(int colorType, int bits) => (colorType, bits) switch
    {
        (0, 1 or 2 or 4 or 8 or 16) or (3, 1 or 2 or 4 or 8) => 1,
        (4, 8 or 16) => 2,
        (2, 8 or 16) => 3,
        (6, 8 or 16) => 4,
        _ => 0,
    };

    private int RowBytes(int width) => (width * Channels * png.BitDepth + 7) / 8;

    private void ReadRow(int width, Span<ushort> samples)
    {
        int length = RowBytes(width), pixel = Math.Max(1, Channels * png.BitDepth / 8);
        var row = current.AsSpan(0, length);
        Span<byte> filter = stackalloc byte[1];
        try
        {
            data.ReadExactly(filter);
            data.ReadExactly(row);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException($"{name} is truncated: its pixels end early.", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name} is damaged: its pixels cannot be decompressed.", e);
        }
        Unfilter(filter[0], row, previous.AsSpan(0, length), pixel);
        Unpack(row, samples[..(width * Channels)]);
        (current, previous) = (previous, current);
    }

    private void Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        if (filter > 4) throw new InvalidDataException($"{name} is damaged: PNG knows no filter {filter}.");
        if (filter == 0) return;
        for (int i = 0; i < row.Length; i++)
        {
            int left = i >= pixel ? row[i - pixel] : 0, up = above[i], corner = i >= pixel ? above[i - pixel] : 0;
            row[i] += (byte)(filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, _ => Paeth(left, up, corner) });
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        int estimate = left + up - corner;
        int toLeft = Math.Abs(estimate - left), toUp = Math.Abs(estimate - up), toCorner = Math.Abs(estimate - corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private void Unpack(ReadOnlySpan<byte> row, Span<ushort> samples)
    {
        int bits = png.BitDepth;
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = bits switch
            {
                8 => row[i],
                16 => BinaryPrimitives.ReadUInt16BigEndian(row[(2 * i)..]),
                _ => (ushort)(row[i * bits / 8] >> 8 - bits - i * bits % 8 & MaxSample),
            };
        }
    }

    // Adam7: seven images of every n-th row and column.
    private ushort[] ReadInterlaced()
    {
        ushort[] all = new ushort[Height * Width * Channels];
        ushort[] row = new ushort[Width * Channels];
        foreach (var (top, left, down, across) in ((int, int, int, int)[])
            [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)])
        {
            int width = (Width - left + across - 1) / across;
            if (width <= 0) continue;
            previous.AsSpan().Clear();
            for (int y = top; y < Height; y += down)
            {
                ReadRow(width, row);
                for (int x = 0; x < width; x++)
                    row.AsSpan(x * Channels, Channels).CopyTo(all.AsSpan((y * Width + left + x * across) * Channels));
            }
        }
        return all;
    }
}
