using MaskBias.MLNet.Training.Data;

namespace MaskBias.MLNet.Experiments.Search;

/// <summary>
/// Chooses which candidate to try next, and where: each has its own <see cref="DirectSearch"/>, and turns are drawn in inverse proportion
/// to what an improvement is estimated to cost, as FLAML does (Wang et al., MLSys 2021). Cheap ones come first; each gets about the same
/// share of the budget until one is seen to pay.
/// </summary>
/// <remarks>
/// The state is a function of what it was told, and each turn draws from a generator of its own: an interrupted search goes on as it would
/// have.
/// </remarks>
/// <param name="arms">The candidates.</param>
/// <param name="budget">The whole budget: trials, or seconds.</param>
/// <param name="countsTrials">Whether the budget is of trials: every trial then costs 1.</param>
/// <param name="seed">Seed of what is drawn.</param>
internal sealed class CostFrugalSearch(IReadOnlyList<SearchArm> arms, double budget, bool countsTrials, int seed)
{
    private const double StartShare = 0.05;         // of the budget, up to which every candidate gets its start at once
    private const double LargestStart = 0.25;       // of what is left, up to which a candidate that is not known yet is tried at all

    private readonly List<double> units = [];       // what each trial cost for a relative cost of 1
    private int turn;

    /// <summary>The next trial, or null where nothing is left to try or nothing fits in what is left of the budget.</summary>
    /// <param name="left">What is left of the budget.</param>
    public (int Arm, double[] Point)? Next(double left)
    {
        var random = RandomStreams.Open(seed, turn, RandomStream.Search);
        while (Choose(left, random) is { } arm)
        {
            if (arms[arm].Next(random) is { } point) return (arm, point);
        }
        return null;
    }

    /// <summary>Takes the outcome of a trial.</summary>
    /// <param name="arm">The candidate.</param>
    /// <param name="point">Its configuration.</param>
    /// <param name="loss">What is to be small; infinity where the trial failed.</param>
    /// <param name="seconds">How long it took.</param>
    public void Tell(int arm, double[] point, double loss, double seconds)
    {
        double cost = countsTrials ? 1 : Math.Max(seconds, 1e-3);
        arms[arm].Tell(point, loss, cost);
        units.Add(cost / arms[arm].RelativeCost);
        turn++;
    }

    /// <summary>Whether nothing is left to try, however large the budget.</summary>
    public bool IsExhausted => arms.All(a => a.IsClosed);

    // The median: the very first trial of a process takes longer than any other.
    private double UnitOf(SearchArm arm) => countsTrials ? 1 / arm.RelativeCost : units.Order().ElementAtOrDefault((units.Count - 1) / 2);

    private int? Choose(double left, Random random)
    {
        var open = Enumerable.Range(0, arms.Count).Where(i => !arms[i].IsClosed).ToList();
        if (turn > 0) open.RemoveAll(i => arms[i].ExpectedCost(UnitOf(arms[i])) > left);
        if (open.Count == 0) return null;
        var frugal = open.Where(i => arms[i].Trials > 0 || turn == 0 || countsTrials || arms[i].ExpectedCost(UnitOf(arms[i])) <= LargestStart * left);
        if (frugal.ToList() is { Count: > 0 } chosen) open = chosen;
        var start = open.Where(i => arms[i].Trials == 0)
            .Where(i => turn == 0 || countsTrials || arms[i].ExpectedCost(UnitOf(arms[i])) <= StartShare * budget).ToList();
        if (start.Count > 0) return start.MinBy(i => arms[i].RelativeCost);

        double best = arms.Min(a => a.BestLoss);
        double[] weights = [.. open.Select(i => 1 / Math.Max(arms[i].CostForImprovement(UnitOf(arms[i]), best), 1e-9))];
        double drawn = random.NextDouble() * weights.Sum();
        for (int i = 0; i < open.Count; i++)
        {
            drawn -= weights[i];
            if (drawn < 0) return open[i];
        }
        return open[^1];
    }
}
