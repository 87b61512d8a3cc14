namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>Draws the labels that are learned from where they are few: the same for all cells of a seed.</summary>
internal static class StudyLabels
{
    /// <summary>Rows of a share of each class, rounded, at least one, ascending.</summary>
    public static int[] Few(IReadOnlyList<int> classes, double fraction, int seed)
    {
        if (fraction >= 1) return [.. Enumerable.Range(0, classes.Count)];
        var (kept, random) = (new List<int>(), new Random(seed));
        foreach (var group in Enumerable.Range(0, classes.Count).GroupBy(i => classes[i]).OrderBy(g => g.Key))
        {
            int[] rows = [.. group];
            random.Shuffle(rows);
            kept.AddRange(rows.Take(Math.Max(1, (int)Math.Round(rows.Length * fraction))));
        }
        return [.. kept.Order()];
    }
}
