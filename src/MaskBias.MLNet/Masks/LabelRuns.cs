namespace MaskBias.MLNet.Masks;

/// <summary>Collects the stretches of pixels of each label of a label map, and makes a mask of each label.</summary>
internal sealed class LabelRuns(int height, int width, long maxRuns = long.MaxValue)
{
    private readonly SortedDictionary<int, List<(int Start, int Length)>> labels = [];
    private List<(int Start, int Length)>? latest;
    private int latestLabel;
    private long runs;

    public IReadOnlyCollection<int> Labels => labels.Keys;

    /// <summary>Adds pixels of one label, in row-major order.</summary>
    /// <exception cref="InvalidDataException">There are too many labels or stretches.</exception>
    public void Add(int label, int start, int length)
    {
        if (latest is null || label != latestLabel)
        {
            if (!labels.TryGetValue(label, out latest))
            {
                if (labels.Count == MaskSet.MaxCount)
                    throw new InvalidDataException($"The label map has more than {MaskSet.MaxCount} labels, the most that a set holds.");
                labels.Add(label, latest = []);
            }
            latestLabel = label;
        }
        if (++runs > maxRuns) throw new InvalidDataException($"The label map changes its label more than {maxRuns} times.");
        latest.Add((start, length));
    }

    /// <summary>Adds a row's labels but those of the background.</summary>
    public void AddRow(int y, ReadOnlySpan<int> row, ReadOnlySpan<int> background)
    {
        for (int x = 0, length; x < row.Length; x += length)
        {
            length = row[x..].IndexOfAnyExcept(row[x]);
            if (length < 0) length = row.Length - x;
            if (!background.Contains(row[x])) Add(row[x], y * width + x, length);
        }
    }

    /// <summary>One mask per label, in ascending order.</summary>
    public MaskSet Build() => Build(labels.Keys);

    /// <summary>The masks of the given labels, in this order; empty for a label that no pixel has.</summary>
    public MaskSet Build(IEnumerable<int> order)
    {
        var builder = new RunBuilder(height, width);
        foreach (int label in order)
        {
            foreach (var (start, length) in labels.GetValueOrDefault(label) ?? []) builder.Cover(start, length);
            builder.EndMask();
        }
        return builder.Build();
    }
}
