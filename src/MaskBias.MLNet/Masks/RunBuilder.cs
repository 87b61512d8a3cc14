namespace MaskBias.MLNet.Masks;

/// <summary>Collects the runs of masks of one size, first run background, in canonical form: only a mask's first run may be 0.</summary>
internal sealed class RunBuilder(int height, int width)
{
    private readonly int total = MaskSet.CheckedPixels(height, width);
    private readonly List<int> runs = [];
    private readonly List<int> starts = [0];
    private int end;                    // pixels described by the runs that are closed
    private bool covered;               // whether the last closed run is foreground

    /// <summary>Marks pixels [start, start + length) of the current mask, in row-major order; starts must not decrease.</summary>
    public void Cover(int start, int length)
    {
        if (length == 0) return;
        if (covered && start == end)
        {
            runs[^1] += length;
        }
        else
        {
            runs.Add(start - end);
            runs.Add(length);
        }
        (end, covered) = (start + length, true);
    }

    /// <summary>Adds a mask by its canonical runs, which sum to height · width.</summary>
    public void AddMask(ReadOnlySpan<int> canonical)
    {
        runs.AddRange(canonical);
        end = total;
        EndMask();
    }

    /// <summary>Ends the current mask and starts the next.</summary>
    public void EndMask()
    {
        if (end < total) runs.Add(total - end);
        starts.Add(runs.Count);
        (end, covered) = (0, false);
        if (starts.Count - 1 > MaskSet.MaxCount)
            throw new ArgumentException($"There are more than {MaskSet.MaxCount} masks, the most that a set holds.");
    }

    public MaskSet Build() => new(height, width, runs.ToArray(), starts.ToArray());
}
