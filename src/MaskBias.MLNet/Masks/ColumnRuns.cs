namespace MaskBias.MLNet.Masks;

/// <summary>
/// Run lengths of a bitmap in column-major order, background first: COCO's uncompressed counts, which Segment Anything writes. The first is
/// 0 where the first pixel is covered.
/// </summary>
internal static class ColumnRuns
{
    /// <summary>Counts of a bitmap of height · width bytes, row by row; every value but 0 is covered.</summary>
    public static int[] Encode(ReadOnlySpan<byte> bitmap, int height, int width)
    {
        var counts = new List<int>();
        bool covered = false;
        int run = 0;
        for (int x = 0; x < width; x++)
        {
            for (int i = x; i < bitmap.Length; i += width, run++)
            {
                if (bitmap[i] != 0 == covered) continue;
                counts.Add(run);
                (run, covered) = (0, !covered);
            }
        }
        counts.Add(run);
        return [.. counts];
    }

    /// <summary>Writes a bitmap of height · width bytes, row by row: 1 where covered, else 0.</summary>
    /// <exception cref="ArgumentException">The counts do not sum to height · width.</exception>
    public static void Decode(ReadOnlySpan<int> counts, int height, int width, Span<byte> bitmap)
    {
        long position = 0, total = (long)height * width;
        byte value = 0;
        foreach (int count in counts)
        {
            if (count < 0 || position + count > total) throw Misfit(height, width);
            for (long end = position + count; position < end; position++)
                bitmap[(int)(position % height * width + position / height)] = value;
            value ^= 1;
        }
        if (position != total) throw Misfit(height, width);
    }

    /// <summary>Number of covered pixels.</summary>
    public static long Area(ReadOnlySpan<int> counts)
    {
        long area = 0;
        for (int i = 1; i < counts.Length; i += 2) area += counts[i];
        return area;
    }

    private static ArgumentException Misfit(int height, int width) => new($"The counts do not make {width}x{height} pixels.");
}
