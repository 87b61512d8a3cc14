using MaskBias.MLNet.Training.Data;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>Divides the rows into those that trials learn from and those that measure them.</summary>
internal static class DataSplits
{
    private const int FewestRows = 10;

    /// <summary>One split, or one for each fold.</summary>
    /// <exception cref="ArgumentException">There are too few rows.</exception>
    public static IReadOnlyList<(int[] Train, int[] HeldOut)> Make(ExperimentLabels labels, ExperimentSettings settings, int seed)
    {
        int count = labels.Count, fewest = Math.Max(FewestRows, 2 * settings.Folds ?? 0);
        if (count < fewest)
        {
            throw new ArgumentException($"{count} rows have a label and a readable image; an experiment needs at least {fewest} to learn from some "
                + "and measure on the others. With fewer, train a classifier without measuring it: NearestNeighbors or LinearProbe.");
        }
        int[] strata = settings.Stratified ? labels.Strata : new int[count];
        IReadOnlyList<(int[] Train, int[] HeldOut)> splits = settings.Folds is { } folds
            ? [.. StratifiedSplit.Folds(strata, folds, seed).Select(part => (Enumerable.Range(0, count).Except(part).ToArray(), part))]
            : [StratifiedSplit.HoldOut(strata, settings.ValidationFraction, seed)];
        foreach (var (train, heldOut) in splits)
        {
            if (heldOut.Length == 0)
            {
                throw new ArgumentException($"Each of the {count} rows has a class of its own in column '{settings.LabelColumnName}': "
                    + "none can be held out to measure with.");
            }
            if (train.Select(i => labels.Strata[i]).Distinct().Count() < 2)
            {
                throw new ArgumentException($"The {train.Length} rows to learn from are all alike in column '{settings.LabelColumnName}'. "
                    + "Give more rows of other classes, or set Stratified to true.");
            }
        }
        return splits;
    }
}
