using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// The K ≥ 0 binary masks of one image. They may overlap and nest, and a mask may be empty. Each is held as run lengths of the pixels
/// in row-major order, background first.
/// </summary>
/// <remarks>Immutable, hence safe to share between threads. Two sets are equal when size, order and every pixel are.</remarks>
public sealed class MaskSet : IEquatable<MaskSet>
{
    /// <summary>Largest height and width, in pixels.</summary>
    public const int MaxSide = 65535;

    /// <summary>Largest number of pixels, 2^28.</summary>
    public const int MaxPixels = 1 << 28;

    /// <summary>Largest number of masks.</summary>
    public const int MaxCount = 65535;

    private readonly int[] runs;        // of all masks, one after the other
    private readonly int[] starts;      // [K + 1]: where each mask's runs start
    private readonly int[] areas;       // [K]

    // The runs must be canonical: each mask's sum is height · width and only its first run may be 0.
    internal MaskSet(int height, int width, int[] runs, int[] starts)
    {
        (Height, Width, this.runs, this.starts) = (height, width, runs, starts);
        areas = new int[starts.Length - 1];
        for (int k = 0; k < areas.Length; k++)
        {
            for (int r = starts[k] + 1; r < starts[k + 1]; r += 2) areas[k] += runs[r];
        }
    }

    /// <summary>Rows of the image, in pixels.</summary>
    public int Height { get; }

    /// <summary>Columns of the image, in pixels.</summary>
    public int Width { get; }

    /// <summary>Number of masks K.</summary>
    public int Count => areas.Length;

    internal ReadOnlySpan<int> AllRuns => runs;

    /// <summary>A set without masks.</summary>
    /// <exception cref="ArgumentException">The size is out of bounds.</exception>
    public static MaskSet Empty(int height, int width) => new RunBuilder(height, width).Build();

    /// <summary>Makes a set from bitmaps.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="bitmaps">One array of height · width values per mask, row by row.</param>
    /// <exception cref="ArgumentException">The size or a bitmap's length is out of bounds.</exception>
    public static MaskSet FromBitmaps(int height, int width, IEnumerable<bool[]> bitmaps)
    {
        ArgumentNullException.ThrowIfNull(bitmaps);
        var builder = new RunBuilder(height, width);
        int k = 0;
        foreach (bool[] bitmap in bitmaps)
        {
            if (bitmap.LongLength != (long)height * width)
                throw new ArgumentException($"Mask {k} has {bitmap.LongLength} pixels; an image of {width}x{height} has {(long)height * width}.",
                    nameof(bitmaps));
            AddBitmap(builder, MemoryMarshal.Cast<bool, byte>(bitmap.AsSpan()));
            k++;
        }
        return builder.Build();
    }

    /// <summary>Makes a set from bitmaps that lie one after the other.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="bitmaps">K · height · width bytes, mask by mask and row by row; every value but 0 is covered.</param>
    /// <exception cref="ArgumentException">The size is out of bounds or the bytes are not whole bitmaps.</exception>
    public static MaskSet FromBitmaps(int height, int width, ReadOnlySpan<byte> bitmaps)
    {
        int total = CheckedPixels(height, width);
        if (bitmaps.Length % total != 0)
            throw new ArgumentException($"{bitmaps.Length} bytes are not whole bitmaps of {width}x{height}.", nameof(bitmaps));
        var builder = new RunBuilder(height, width);
        for (; bitmaps.Length > 0; bitmaps = bitmaps[total..]) AddBitmap(builder, bitmaps[..total]);
        return builder.Build();
    }

    /// <summary>Makes one mask per distinct label, in ascending order of the labels; 0 and negative labels are background.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="labels">Height · width labels, row by row.</param>
    /// <exception cref="ArgumentException">The size is out of bounds, or there are more than <see cref="MaxCount"/> labels.</exception>
    public static MaskSet FromLabelMap(int height, int width, ReadOnlySpan<int> labels)
    {
        int total = CheckedPixels(height, width);
        if (labels.Length != total)
            throw new ArgumentException($"The label map has {labels.Length} pixels; an image of {width}x{height} has {total}.",
                nameof(labels));

        var runs = new LabelRuns(height, width);
        try
        {
            for (int start = 0, length; start < total; start += length)
            {
                length = labels[start..].IndexOfAnyExcept(labels[start]);
                if (length < 0) length = total - start;
                if (labels[start] > 0) runs.Add(labels[start], start, length);
            }
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, nameof(labels), e);
        }
        return runs.Build();
    }

    /// <summary>Makes a set from run lengths.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="masks">Per mask the lengths of its runs in row-major order, background and foreground in turn, background first; a
    /// length may be 0.</param>
    /// <exception cref="ArgumentException">The size is out of bounds, a length is negative, or a mask's lengths do not sum to height ·
    /// width.</exception>
    public static MaskSet FromRuns(int height, int width, IEnumerable<IReadOnlyList<int>> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        int total = CheckedPixels(height, width), k = 0;
        var builder = new RunBuilder(height, width);
        foreach (var lengths in masks)
        {
            long position = 0;
            for (int r = 0; r < lengths.Count; r++)
            {
                if (lengths[r] < 0)
                    throw new ArgumentException($"Run {r} of mask {k} is {lengths[r]}; a run is at least 0.", nameof(masks));
                if (position + lengths[r] > total)
                    throw new ArgumentException(SumFault(k, position + lengths[r], height, width), nameof(masks));
                if (r % 2 == 1) builder.Cover((int)position, lengths[r]);
                position += lengths[r];
            }
            if (position != total) throw new ArgumentException(SumFault(k, position, height, width), nameof(masks));
            builder.EndMask();
            k++;
        }
        return builder.Build();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <param name="bytes">The encoded set. Zero bytes are not a set: a caller that reads them from a column takes them for a missing
    /// value.</param>
    /// <exception cref="FormatException">The bytes are not a well-formed set.</exception>
    public static MaskSet Decode(ReadOnlySpan<byte> bytes) => MaskSetEncoding.Decode(bytes);

    /// <summary>Writes the set as bytes, the value of a masks column. docs/masks.md has the format.</summary>
    public byte[] Encode() => MaskSetEncoding.Encode(this);

    /// <summary>Number of pixels that mask k covers.</summary>
    public long Area(int k) => areas[k];

    /// <summary>
    /// The run lengths of mask k in row-major order, background and foreground in turn, background first. They sum to
    /// Height · Width; only the first may be 0.
    /// </summary>
    public ReadOnlySpan<int> Runs(int k)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)k, (uint)Count, nameof(k));
        return runs.AsSpan(starts[k], starts[k + 1] - starts[k]);
    }

    /// <summary>Whether mask k covers the pixel. Walks the mask's runs: for many pixels, use <see cref="CopyTo"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such mask or pixel.</exception>
    public bool Contains(int k, int x, int y)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)x, (uint)Width, nameof(x));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)y, (uint)Height, nameof(y));
        int pixel = y * Width + x, position = 0;
        bool foreground = true;
        foreach (int run in Runs(k))
        {
            foreground = !foreground;
            position += run;
            if (pixel < position) break;
        }
        return foreground;
    }

    /// <summary>Writes mask k as a bitmap.</summary>
    /// <param name="k">The mask.</param>
    /// <param name="bitmap">At least Height · Width bytes; receives 1 where covered and 0 elsewhere, row by row.</param>
    /// <exception cref="ArgumentException">The bitmap is too short.</exception>
    public void CopyTo(int k, Span<byte> bitmap)
    {
        if (bitmap.Length < Height * Width)
            throw new ArgumentException($"The bitmap has {bitmap.Length} bytes; an image of {Width}x{Height} needs {Height * Width}.",
                nameof(bitmap));
        byte value = 0;
        foreach (int run in Runs(k))
        {
            bitmap[..run].Fill(value);
            bitmap = bitmap[run..];
            value ^= 1;
        }
    }

    /// <inheritdoc/>
    public bool Equals(MaskSet? other) =>
        other is not null && Height == other.Height && Width == other.Width
        && starts.AsSpan().SequenceEqual(other.starts) && runs.AsSpan().SequenceEqual(other.runs);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MaskSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Height);
        hash.Add(Width);
        hash.AddBytes(MemoryMarshal.AsBytes(starts.AsSpan()));
        hash.AddBytes(MemoryMarshal.AsBytes(runs.AsSpan()));
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} masks of {Width}x{Height}";

    internal static string? SizeFault(long height, long width) =>
        height is < 1 or > MaxSide || width is < 1 or > MaxSide
            ? $"The masks' size is {width}x{height}; each side must lie in [1, {MaxSide}]."
            : height * width > MaxPixels
                ? $"The masks' size is {width}x{height}, {height * width} pixels; at most {MaxPixels} are allowed." : null;

    internal static string SumFault(long k, long sum, int height, int width) =>
        $"The runs of mask {k} sum to {sum}; an image of {width}x{height} needs exactly {(long)height * width}.";

    internal static int CheckedPixels(int height, int width) =>
        SizeFault(height, width) is { } fault ? throw new ArgumentException(fault) : height * width;

    private static void AddBitmap(RunBuilder builder, ReadOnlySpan<byte> bitmap)
    {
        for (int start = 0; start < bitmap.Length;)
        {
            int skipped = bitmap[start..].IndexOfAnyExcept((byte)0);
            if (skipped < 0) break;
            start += skipped;
            int length = bitmap[start..].IndexOf((byte)0);
            if (length < 0) length = bitmap.Length - start;
            builder.Cover(start, length);
            start += length;
        }
        builder.EndMask();
    }
}
