using System.Buffers;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// Turns the runs of a binary matrix in row-major order into its runs in column-major order, or back, without its bitmap: the time is that
/// of the sides and of the runs that go in and out, not that of the pixels.
/// </summary>
/// <remarks>
/// Two neighbouring lines differ in some stretches; along the other axis, exactly these places start or end a run. So each line's stretches
/// of difference from the line before are noted, counted per place, and sorted into place by counting.
/// </remarks>
internal static class RunTransposition
{
    /// <summary>Transposes the runs of one mask.</summary>
    /// <param name="runs">Background and foreground in turn, background first; they sum to lines · length. A run may be 0.</param>
    /// <param name="lines">Lines in the order of <paramref name="runs"/>: rows of row-major runs, columns of column-major ones.</param>
    /// <param name="length">Places along a line.</param>
    /// <param name="maxRuns">Most runs to make.</param>
    /// <returns>The runs in the other order, canonical: only the first may be 0.</returns>
    /// <exception cref="InvalidDataException">There are more runs than allowed; found out before they are allocated.</exception>
    public static int[] Transpose(ReadOnlySpan<int> runs, int lines, int length, int maxRuns)
    {
        var changes = ArrayPool<Change>.Shared.Rent(runs.Length + 2 * lines + 2);
        int[] ends = ArrayPool<int>.Shared.Rent(length + 1);
        int[]? toggles = null;
        try
        {
            var counts = ends.AsSpan(0, length + 1);
            counts.Clear();
            int found = FindChanges(runs, lines, length, changes, counts);
            int total = Accumulate(counts, maxRuns);
            toggles = ArrayPool<int>.Shared.Rent(total + 1);
            foreach (var (line, from, to) in changes.AsSpan(0, found))
            {
                for (int place = from; place < to; place++) toggles[counts[place]++] = line;
            }
            return Join(toggles, counts[..length], lines);      // counts[p] is now where the toggles of place p end
        }
        finally
        {
            ArrayPool<Change>.Shared.Return(changes);
            ArrayPool<int>.Shared.Return(ends);
            if (toggles is not null) ArrayPool<int>.Shared.Return(toggles);
        }
    }

    // Notes where each line differs from the one before; differences[p] becomes the step in the number of changes at place p.
    private static int FindChanges(ReadOnlySpan<int> runs, int lines, int length, Span<Change> changes, Span<int> differences)
    {
        int[] previous = ArrayPool<int>.Shared.Rent(length + 2), current = ArrayPool<int>.Shared.Rent(length + 2);
        int previousCount = 0, found = 0;
        var walk = new RunWalk(runs);
        for (int line = 0; line < lines; line++)
        {
            int count = walk.NextLine(length, current);
            if (!current.AsSpan(0, count).SequenceEqual(previous.AsSpan(0, previousCount)))
            {
                var merged = new Merge(previous.AsSpan(0, previousCount), current.AsSpan(0, count));
                while (merged.Next(out int from) && merged.Next(out int to))
                {
                    changes[found++] = new(line, from, to);
                    differences[from]++;
                    differences[to]--;
                }
            }
            (previous, current, previousCount) = (current, previous, count);
        }
        ArrayPool<int>.Shared.Return(previous);
        ArrayPool<int>.Shared.Return(current);
        return found;
    }

    // From steps to where each place's changes start.
    private static int Accumulate(Span<int> steps, int maxRuns)
    {
        long total = 0;
        int count = 0;
        for (int place = 0; place < steps.Length; place++)
        {
            count += steps[place];
            steps[place] = (int)total;
            total += count;
            if (total > maxRuns) throw new InvalidDataException($"A mask has more than {maxRuns} runs, which no outline of an object makes.");
        }
        return (int)total;
    }

    // Runs along the other axis: at each place, the value changes at its toggles; what is open at a line's end goes on or ends there.
    private static int[] Join(ReadOnlySpan<int> toggles, ReadOnlySpan<int> ends, int lines)
    {
        int[] runs = ArrayPool<int>.Shared.Rent(toggles.Length + 2 * ends.Length + 2);
        try
        {
            int count = 0, end = 0, next = 0;
            for (int place = 0; place < ends.Length; place++)
            {
                for (int start = place * lines; next < ends[place]; next += 2)
                {
                    int from = start + toggles[next], to = start + (next + 1 < ends[place] ? toggles[next + 1] : lines);
                    if (count > 0 && from == end)
                    {
                        runs[count - 1] += to - from;
                    }
                    else
                    {
                        runs[count++] = from - end;
                        runs[count++] = to - from;
                    }
                    end = to;
                }
                next = ends[place];
            }
            int total = ends.Length * lines;
            if (end < total) runs[count++] = total - end;
            return runs.AsSpan(0, count).ToArray();
        }
        finally
        {
            ArrayPool<int>.Shared.Return(runs);
        }
    }

    private readonly record struct Change(int Line, int From, int To);

    // Cuts runs at the ends of lines.
    private ref struct RunWalk(ReadOnlySpan<int> runs)
    {
        private readonly ReadOnlySpan<int> runs = runs;
        private int next = 0, left = 0;
        private bool covered = true;            // the first run read is background

        // The places at which the line's value changes, from background before it to background after it.
        public int NextLine(int length, Span<int> places)
        {
            int count = 0;
            bool inside = false;
            for (int place = 0; place < length;)
            {
                while (left == 0)
                {
                    left = runs[next++];
                    covered = !covered;
                }
                if (covered != inside)
                {
                    places[count++] = place;
                    inside = covered;
                }
                int step = Math.Min(left, length - place);
                place += step;
                left -= step;
            }
            if (inside) places[count++] = length;
            return count;
        }
    }

    // The numbers that only one of two ascending lists holds, in order.
    private ref struct Merge(ReadOnlySpan<int> one, ReadOnlySpan<int> other)
    {
        private readonly ReadOnlySpan<int> one = one, other = other;
        private int i = 0, j = 0;

        public bool Next(out int value)
        {
            while (i < one.Length && j < other.Length && one[i] == other[j])
            {
                i++;
                j++;
            }
            bool takesOne = i < one.Length && (j == other.Length || one[i] < other[j]);
            value = takesOne ? one[i++] : j < other.Length ? other[j++] : -1;
            return value >= 0;
        }
    }
}
