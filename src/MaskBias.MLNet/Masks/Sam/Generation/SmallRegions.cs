namespace MaskBias.MLNet.Masks.Sam.Generation;

/// <summary>
/// Fills small holes of a mask and removes small pieces. Pixels that touch at a corner are connected, in holes as in pieces.
/// </summary>
internal static class SmallRegions
{
    /// <summary>Fills holes of less than the given area; says whether there were any.</summary>
    public static bool FillHoles(Span<byte> bitmap, int height, int width, int area)
    {
        var regions = Regions.Find(bitmap, height, width, value: 0);
        return regions.Paint(bitmap, size => size < area, value: 1);
    }

    /// <summary>Removes pieces of less than the given area, but for the largest where all are; says whether there were any.</summary>
    public static bool RemoveIslands(Span<byte> bitmap, int height, int width, int area)
    {
        var regions = Regions.Find(bitmap, height, width, value: 1);
        if (regions.Sizes.Any(size => size >= area)) return regions.Paint(bitmap, size => size < area, value: 0);
        regions.PaintAllButLargest(bitmap, value: 0);
        return regions.Sizes.Count > 0;
    }

    /// <summary>Connected regions of one value, as runs of pixels within rows.</summary>
    private sealed class Regions
    {
        private readonly List<(int Start, int Length)> runs = [];
        private readonly List<int> parents = [];        // of runs; the root of a region is its first run
        private readonly List<int> regions = [];        // per run

        /// <summary>Pixels per region, in the order of their first pixels.</summary>
        public List<int> Sizes { get; } = [];

        public static Regions Find(ReadOnlySpan<byte> bitmap, int height, int width, byte value)
        {
            var found = new Regions();
            int above = 0;                              // first run of the row above
            for (int y = 0; y < height; y++)
            {
                int first = found.runs.Count;
                found.AddRow(bitmap.Slice(y * width, width), y * width, value);
                if (y > 0) found.Connect(above, first, width);
                above = first;
            }
            found.Count();
            return found;
        }

        public bool Paint(Span<byte> bitmap, Func<int, bool> chosen, byte value)
        {
            for (int i = 0; i < runs.Count; i++)
            {
                if (chosen(Sizes[regions[i]])) bitmap.Slice(runs[i].Start, runs[i].Length).Fill(value);
            }
            return Sizes.Any(chosen);
        }

        public void PaintAllButLargest(Span<byte> bitmap, byte value)
        {
            if (Sizes.Count == 0) return;
            int largest = Sizes.IndexOf(Sizes.Max());
            for (int i = 0; i < runs.Count; i++)
            {
                if (regions[i] != largest) bitmap.Slice(runs[i].Start, runs[i].Length).Fill(value);
            }
        }

        private void AddRow(ReadOnlySpan<byte> row, int offset, byte value)
        {
            for (int x = 0; x < row.Length;)
            {
                int skipped = row[x..].IndexOf(value);
                if (skipped < 0) return;
                x += skipped;
                int length = row[x..].IndexOfAnyExcept(value);
                if (length < 0) length = row.Length - x;
                parents.Add(runs.Count);
                runs.Add((offset + x, length));
                x += length;
            }
        }

        // Runs of two rows touch where one starts at most one column after the other's last.
        private void Connect(int above, int first, int width)
        {
            for (int i = above, j = first; i < first && j < runs.Count;)
            {
                int upperStart = runs[i].Start + width, upperEnd = upperStart + runs[i].Length;
                int lowerStart = runs[j].Start, lowerEnd = lowerStart + runs[j].Length;
                if (upperStart <= lowerEnd && lowerStart <= upperEnd) Join(i, j);
                if (upperEnd < lowerEnd) i++;
                else j++;
            }
        }

        private void Join(int a, int b)
        {
            (a, b) = (Root(a), Root(b));
            if (a < b) parents[b] = a;
            else parents[a] = b;
        }

        private int Root(int run)
        {
            while (parents[run] != run) run = parents[run] = parents[parents[run]];
            return run;
        }

        private void Count()
        {
            for (int i = 0; i < runs.Count; i++)
            {
                int root = Root(i);
                if (root == i) Sizes.Add(0);
                regions.Add(root == i ? Sizes.Count - 1 : regions[root]);
                Sizes[regions[i]] += runs[i].Length;
            }
        }
    }
}
