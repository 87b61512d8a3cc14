namespace MaskBias.MLNet.Experiments.Search;

/// <summary>
/// Randomised direct search of one candidate's space (FLOW², Wu et al., AAAI 2021): from the best point so far a step in a random
/// direction, then the opposite one, then a smaller step; a search that has narrowed down starts again elsewhere. It begins with the
/// candidate's cheap start.
/// </summary>
/// <remarks>All it knows comes of <see cref="Tell"/>, so that a search is taken up by telling it again.</remarks>
internal sealed class DirectSearch(SearchSpace space)
{
    private const double FirstStep = 0.4, LeastStep = 0.04, Growth = 1.3, Shrinkage = 0.7;
    private const int Steps = 24, Attempts = 64;

    private readonly HashSet<string> tried = new(StringComparer.Ordinal);
    private double[]? best, opposite;
    private double bestLoss = double.PositiveInfinity, step = FirstStep;

    /// <summary>The point to try next; null where everything has been tried.</summary>
    public double[]? Next(Random random)
    {
        if (tried.Count == 0) return space.Start;
        if (opposite is not null && !tried.Contains(space.Key(opposite))) return opposite;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            double[] point = best is null || step < LeastStep || attempt >= Steps ? Anywhere(random) : space.Move(best, Direction(random), step);
            if (!tried.Contains(space.Key(point))) return point;
        }
        return null;
    }

    /// <summary>Takes the loss of a point; infinity where it failed.</summary>
    public void Tell(double[] point, double loss)
    {
        bool wasOpposite = opposite is not null && space.Key(point) == space.Key(opposite);
        tried.Add(space.Key(point));
        if (loss < bestLoss)
        {
            step = best is null || step < LeastStep ? FirstStep : Math.Min(step * Growth, FirstStep);
            (best, bestLoss, opposite) = (point, loss, null);
        }
        else if (best is not null)
        {
            opposite = wasOpposite || step < LeastStep ? null : space.Move(best, [.. best.Zip(point, (b, p) => b - p)], 1);
            if (wasOpposite) step *= Shrinkage;
        }
    }

    private double[] Anywhere(Random random) => [.. space.Start.Select(_ => random.NextDouble())];

    // The largest part is a whole step, so that something changes.
    private double[] Direction(Random random)
    {
        double[] drawn = [.. space.Start.Select(_ => 2 * random.NextDouble() - 1)];
        double largest = drawn.Select(Math.Abs).DefaultIfEmpty(1).Max();
        return [.. drawn.Select(d => d / Math.Max(largest, 1e-9))];
    }
}
