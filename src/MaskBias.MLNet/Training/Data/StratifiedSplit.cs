namespace MaskBias.MLNet.Training.Data;

/// <summary>Draws a share of the rows of every class.</summary>
internal static class StratifiedSplit
{
    /// <summary>Draws rows to hold out: the share of each class, rounded, at least one of a class of several rows, and never its last one.</summary>
    /// <param name="classes">The class of each row; rows of a negative class are neither kept nor held out.</param>
    /// <param name="fraction">The share, 0 to 1.</param>
    /// <param name="seed">The same seed draws the same rows.</param>
    /// <returns>Positions to keep and to hold out, ascending.</returns>
    public static (int[] Kept, int[] HeldOut) HoldOut(IReadOnlyList<int> classes, double fraction, int seed)
    {
        if (fraction <= 0) return ([.. Enumerable.Range(0, classes.Count).Where(i => classes[i] >= 0)], []);
        return Draw(classes, seed, rows => rows == 1 ? 0 : Math.Clamp((int)Math.Round(rows * fraction), 1, rows - 1));
    }

    /// <summary>Draws a few rows to learn from: the share of each class, rounded, at least one.</summary>
    /// <inheritdoc cref="HoldOut"/>
    /// <returns>The positions drawn, ascending.</returns>
    public static int[] Few(IReadOnlyList<int> classes, double fraction, int seed) =>
        Draw(classes, seed, rows => Math.Max(1, (int)Math.Round(rows * fraction))).Drawn;

    private static (int[] Others, int[] Drawn) Draw(IReadOnlyList<int> classes, int seed, Func<int, int> count)
    {
        var random = new Random(seed);
        var (rest, drawn) = (new List<int>(), new List<int>());
        var groups = Enumerable.Range(0, classes.Count).Where(i => classes[i] >= 0).GroupBy(i => classes[i]).OrderBy(g => g.Key);
        foreach (var group in groups)
        {
            int[] rows = [.. group];
            random.Shuffle(rows);
            int wanted = count(rows.Length);
            drawn.AddRange(rows[..wanted]);
            rest.AddRange(rows[wanted..]);
        }
        return ([.. rest.Order()], [.. drawn.Order()]);
    }
}
