namespace MaskBias.MLNet.Training.Data;

/// <summary>Draws a share of the rows of every class.</summary>
internal static class StratifiedSplit
{
    /// <summary>
    /// Draws rows to hold out: the share of each class, rounded, at least one of a class of several rows, and never its last one.
    /// </summary>
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

    /// <summary>Divides the rows into parts that each have their share of every class.</summary>
    /// <param name="classes">The class of each row; rows of a negative class are in no part.</param>
    /// <param name="folds">Number of parts.</param>
    /// <param name="seed">The same seed makes the same parts.</param>
    /// <returns>The positions of each part, ascending.</returns>
    public static int[][] Folds(IReadOnlyList<int> classes, int folds, int seed)
    {
        var random = new Random(seed);
        var parts = Enumerable.Range(0, folds).Select(_ => new List<int>()).ToArray();
        int next = 0;                               // goes on from class to class, so that the parts differ by one row at most
        foreach (int[] rows in Groups(classes))
        {
            random.Shuffle(rows);
            foreach (int row in rows) parts[next++ % folds].Add(row);
        }
        return [.. parts.Select(p => p.Order().ToArray())];
    }

    private static IEnumerable<int[]> Groups(IReadOnlyList<int> classes) => Enumerable.Range(0, classes.Count)
        .Where(i => classes[i] >= 0).GroupBy(i => classes[i]).OrderBy(g => g.Key).Select(g => g.ToArray());

    private static (int[] Others, int[] Drawn) Draw(IReadOnlyList<int> classes, int seed, Func<int, int> count)
    {
        var random = new Random(seed);
        var (rest, drawn) = (new List<int>(), new List<int>());
        foreach (int[] rows in Groups(classes))
        {
            random.Shuffle(rows);
            int wanted = count(rows.Length);
            drawn.AddRange(rows[..wanted]);
            rest.AddRange(rows[wanted..]);
        }
        return ([.. rest.Order()], [.. drawn.Order()]);
    }
}
