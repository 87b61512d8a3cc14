namespace MaskBias.MLNet.Masks;

/// <summary>Resizes masks by the nearest pixel: a mask stays binary.</summary>
internal static class MaskResizing
{
    /// <summary>Whether one size is the other scaled, with sides rounded to whole pixels.</summary>
    public static bool SameAspect((int Height, int Width) one, (int Height, int Width) other)
    {
        var (small, large) = one.Height <= other.Height ? (one, other) : (other, one);
        double scale = (double)small.Height / large.Height, otherScale = (double)small.Width / large.Width;
        return Math.Abs(large.Width * scale - small.Width) <= 1 || Math.Abs(large.Height * otherScale - small.Height) <= 1;
    }

    /// <summary>Each pixel takes the value of the pixel of the given masks in which its middle lies.</summary>
    /// <exception cref="InvalidDataException">The resized masks would have more runs than allowed, together.</exception>
    public static MaskSet Nearest(MaskSet masks, int height, int width, int maxRuns)
    {
        var builder = new RunBuilder(height, width);
        // [masks.Width + 1]: the first new column whose middle lies at or behind an old column's left edge
        int[] columns = [.. Enumerable.Range(0, masks.Width + 1).Select(x => (int)Math.Ceiling((double)x * width / masks.Width - 0.5))];
        var segments = new List<(int Start, int End)>();
        int[] rowStarts = new int[masks.Height + 1];
        long runs = 0;
        for (int k = 0; k < masks.Count; k++)
        {
            SplitRows(masks, k, segments, rowStarts);
            int covered = -1;                                   // where the last covered stretch ends
            for (int y = 0; y < height; y++)
            {
                int row = (int)((y + 0.5) * masks.Height / height);
                for (int i = rowStarts[row]; i < rowStarts[row + 1]; i++)
                {
                    int start = y * width + columns[segments[i].Start], end = y * width + columns[segments[i].End];
                    if (start == end) continue;
                    if (start != covered) runs += 2;            // a background and a foreground; else it goes on
                    if (runs > maxRuns) throw TooManyRuns(masks, height, width, maxRuns);
                    builder.Cover(start, end - start);
                    covered = end;
                }
            }
            builder.EndMask();
        }
        return builder.Build();
    }

    private static InvalidDataException TooManyRuns(MaskSet masks, int height, int width, int maxRuns) =>
        new($"{masks.Count} masks of {masks.Width}x{masks.Height} have more than {maxRuns} runs when resized to {width}x{height}.");

    private static void SplitRows(MaskSet masks, int k, List<(int Start, int End)> segments, int[] rowStarts)
    {
        segments.Clear();
        int position = 0, row = 0;
        bool covered = false;
        foreach (int run in masks.Runs(k))
        {
            for (int left = covered ? run : 0, start = position; left > 0;)
            {
                int y = start / masks.Width, x = start % masks.Width, length = Math.Min(left, masks.Width - x);
                while (row <= y) rowStarts[row++] = segments.Count;
                segments.Add((x, x + length));
                start += length;
                left -= length;
            }
            position += run;
            covered = !covered;
        }
        while (row < rowStarts.Length) rowStarts[row++] = segments.Count;
    }
}
