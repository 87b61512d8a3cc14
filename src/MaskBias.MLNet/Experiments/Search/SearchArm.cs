namespace MaskBias.MLNet.Experiments.Search;

/// <summary>One candidate in the search: its own direct search, and what it has cost and gained so far.</summary>
internal sealed class SearchArm(SearchSpace space, double relativeCost)
{
    private const int MostFailures = 3;         // without any success

    private readonly DirectSearch search = new(space);
    private double total, totalAtBest, totalBefore;             // K₀, K₁, K₂ of FLAML
    private double gain = double.PositiveInfinity;              // of the last improvement
    private double lastCost;
    private int failures;

    /// <summary>Cost of its start, relative to other candidates'.</summary>
    public double RelativeCost => relativeCost;

    public double BestLoss { get; private set; } = double.PositiveInfinity;

    public int Trials { get; private set; }

    /// <summary>Whether nothing is left to try, or nothing ever succeeded.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>What the next trial will cost.</summary>
    /// <param name="unit">Cost of a candidate whose relative cost is 1.</param>
    public double ExpectedCost(double unit) => Trials == 0 ? relativeCost * unit : lastCost;

    /// <summary>Estimated cost until it beats the best of all (Wang et al., "FLAML", MLSys 2021, section 4.2).</summary>
    public double CostForImprovement(double unit, double bestOfAll)
    {
        if (Trials == 0 || double.IsInfinity(BestLoss)) return Math.Max(ExpectedCost(unit), total);
        double own = Math.Max(Math.Max(total - totalAtBest, totalAtBest - totalBefore), lastCost);
        double gap = BestLoss - bestOfAll;
        return gap > 0 && double.IsFinite(gain) ? Math.Max(own, 2 * gap * (total - totalBefore) / gain) : own;
    }

    public double[]? Next(Random random)
    {
        var point = search.Next(random);
        if (point is null) IsClosed = true;
        return point;
    }

    public void Tell(double[] point, double loss, double cost)
    {
        search.Tell(point, loss);
        Trials++;
        total += lastCost = cost;
        if (double.IsInfinity(loss)) failures++;
        if (loss < BestLoss)
        {
            (gain, totalBefore, totalAtBest, BestLoss) = (BestLoss - loss, totalAtBest, total, loss);
        }
        if (double.IsInfinity(BestLoss) && failures >= MostFailures) IsClosed = true;
    }
}
