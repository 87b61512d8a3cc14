using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// One mask as COCO's run-length encoding: the lengths of background and foreground in turn, background first, down the columns. It is kept
/// as it was given: reading and writing gives the identical counts and, of a string that a COCO tool wrote, the identical string.
/// </summary>
/// <remarks>
/// Immutable and thread-safe. COCO's compressed string holds each count, from the fourth on as its difference from the count two before, in
/// groups of 5 bits, lowest first, plus 48 per character; bit 5 says that another group follows, and the last group carries the sign.
/// </remarks>
public sealed class CocoRle : IEquatable<CocoRle>
{
    /// <summary>Most runs that a mask or, together, the masks of one image may have in row-major order: 2^24.</summary>
    public const int MaxRuns = 1 << 24;

    private readonly int[] counts;

    private CocoRle(int height, int width, int[] counts)
    {
        (Height, Width, this.counts) = (height, width, counts);
        for (int r = 1; r < counts.Length; r += 2) Area += counts[r];
    }

    /// <summary>Rows of the image.</summary>
    public int Height { get; }

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>Number of covered pixels.</summary>
    public long Area { get; }

    /// <summary>The run lengths, column by column; they sum to Height · Width.</summary>
    public ReadOnlySpan<int> Counts => counts;

    /// <summary>Reads the compressed string.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="text">The "counts" of a COCO segmentation.</param>
    /// <exception cref="FormatException">
    /// The size is out of bounds, the string is not one that the encoding makes, or its counts do not sum to height · width.
    /// </exception>
    public static CocoRle Parse(int height, int width, ReadOnlySpan<char> text)
    {
        int pixels = Pixels(height, width), groups = 0;
        foreach (char c in text) groups += (c - CocoRleText.Zero & CocoRleText.More) == 0 ? 1 : 0;
        return new(height, width, CocoRleText.Decode(text, new int[groups], pixels));
    }

    /// <summary>Makes a mask from uncompressed counts.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="counts">Run lengths, column by column, background first.</param>
    /// <exception cref="FormatException">The size is out of bounds, a count is negative, or they do not sum to height · width.</exception>
    public static CocoRle FromCounts(int height, int width, ReadOnlySpan<int> counts)
    {
        int pixels = Pixels(height, width);
        long sum = 0;
        for (int r = 0; r < counts.Length; r++)
        {
            if (counts[r] < 0) throw new FormatException($"Count {r} is {counts[r]}; a count is at least 0.");
            sum += counts[r];
        }
        if (sum != pixels) throw new FormatException(CocoRleText.SumFault(sum, pixels));
        return new(height, width, counts.ToArray());
    }

    /// <summary>Encodes mask k of a set.</summary>
    public static CocoRle From(MaskSet masks, int k)
    {
        ArgumentNullException.ThrowIfNull(masks);
        return new(masks.Height, masks.Width, RunTransposition.Transpose(masks.Runs(k), masks.Height, masks.Width, int.MaxValue));
    }

    /// <summary>Encodes every mask of a set.</summary>
    public static CocoRle[] From(MaskSet masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        return [.. Enumerable.Range(0, masks.Count).Select(k => From(masks, k))];
    }

    /// <summary>Makes a mask of the union of polygons, rasterised pixel for pixel as COCO's own tools do.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="polygons">Each x, y, x, y ... of at least three corners, in pixels; corners may lie outside the image.</param>
    /// <exception cref="FormatException">The size is out of bounds, or a polygon has too few numbers or ones that are out of bounds.</exception>
    public static CocoRle FromPolygons(int height, int width, IReadOnlyList<double[]> polygons)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        _ = Pixels(height, width);
        var outline = new PolygonOutline(height, width);
        return Union(height, width, [.. polygons.Select(outline.Rasterize)]);
    }

    internal static CocoRle FromPolygons(PolygonOutline outline, IReadOnlyList<double[]> polygons) =>
        Union(outline.Height, outline.Width, [.. polygons.Select(outline.Rasterize)]);

    /// <summary>Makes a set of masks of one image.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="masks">Masks of this size; they may be empty.</param>
    /// <exception cref="InvalidDataException">A mask is of another size, or they have more than <see cref="MaxRuns"/> runs.</exception>
    public static MaskSet ToMaskSet(int height, int width, IEnumerable<CocoRle> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        var builder = new RunBuilder(height, width);
        int k = 0, runsLeft = MaxRuns;
        foreach (var mask in masks)
        {
            if (mask.Height != height || mask.Width != width)
                throw new InvalidDataException($"Mask {k} is of {mask.Width}x{mask.Height}; the image is of {width}x{height}.");
            if (k == MaskSet.MaxCount) throw new InvalidDataException($"There are more than {MaskSet.MaxCount} masks, the most that a set holds.");
            int[] runs = RunTransposition.Transpose(mask.counts, width, height, runsLeft);
            runsLeft = Math.Max(0, runsLeft - runs.Length);
            builder.AddMask(runs);
            k++;
        }
        return builder.Build();
    }

    /// <summary>The mask by itself as a set.</summary>
    /// <exception cref="InvalidDataException">The mask has more than <see cref="MaxRuns"/> runs in row-major order.</exception>
    public MaskSet ToMaskSet() => ToMaskSet(Height, Width, [this]);

    /// <summary>The smallest rectangle around the mask, as pycocotools gives it: the width is the number of columns.</summary>
    public MaskBounds BoundingBox()
    {
        int left = Width, right = -1, top = Height, bottom = -1, start = 0;
        for (int r = 0; r < counts.Length; r++)
        {
            int end = start + counts[r];
            if (r % 2 == 1 && counts[r] > 0)
            {
                int first = start / Height, last = (end - 1) / Height;
                (left, right) = (Math.Min(left, first), last);
                // A run that goes on to the next column touches its column's bottom and the next one's top.
                (top, bottom) = first < last ? (0, Height - 1) : (Math.Min(top, start % Height), Math.Max(bottom, (end - 1) % Height));
            }
            start = end;
        }
        return right < 0 ? default : new(left, top, right - left + 1, bottom - top + 1);
    }

    /// <summary>The compressed string.</summary>
    public override string ToString() => CocoRleText.Encode(counts);

    /// <inheritdoc/>
    public bool Equals(CocoRle? other) =>
        other is not null && Height == other.Height && Width == other.Width && counts.AsSpan().SequenceEqual(other.counts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CocoRle);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Height);
        hash.Add(Width);
        hash.AddBytes(MemoryMarshal.AsBytes(counts.AsSpan()));
        return hash.ToHashCode();
    }

    // Pixels in any of the masks: sweep over the starts (+1) and ends (-1) of all foreground runs.
    private static CocoRle Union(int height, int width, IReadOnlyList<int[]> masks)
    {
        if (masks.Count == 1) return new(height, width, masks[0]);
        var edges = new List<(int Position, int Step)>();
        foreach (int[] mask in masks)
        {
            for (int r = 0, position = 0; r + 1 < mask.Length; r += 2)
            {
                position += mask[r];
                edges.Add((position, 1));
                edges.Add((position += mask[r + 1], -1));
            }
        }
        edges.Sort((a, b) => a.Position != b.Position ? a.Position.CompareTo(b.Position) : b.Step.CompareTo(a.Step));
        var counts = new List<int>();
        int depth = 0, end = 0;
        foreach (var (position, step) in edges)
        {
            depth += step;
            if (depth != (step > 0 ? 1 : 0)) continue;      // inside another mask
            counts.Add(position - end);
            end = position;
        }
        if (end < height * width) counts.Add(height * width - end);
        return new(height, width, [.. counts]);
    }

    private static int Pixels(int height, int width) =>
        MaskSet.SizeFault(height, width) is { } fault ? throw new FormatException(fault) : height * width;
}
