namespace MaskBias.MLNet.LinearProbing;

/// <summary>Loss and accuracy of linear layers side by side after every epoch, on rows that were held out: once, or part by part.</summary>
/// <param name="layers">Number of layers.</param>
/// <param name="firstEpoch">The first epoch that is measured, counted from 0.</param>
internal sealed class LayerMeasures(int layers, int firstEpoch = 0)
{
    private readonly List<Sums> sums = [];              // by epoch

    /// <summary>Takes the means over some rows after an epoch.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The epoch before it was not measured.</exception>
    public void Add(int epoch, double[] losses, double[] accuracies, int rows)
    {
        if (epoch - firstEpoch == sums.Count) sums.Add(new(new double[layers], new double[layers]));
        var sum = sums[epoch - firstEpoch];
        sum.Rows += rows;
        for (int layer = 0; layer < layers; layer++)
        {
            sum.Losses[layer] += losses[layer] * rows;
            sum.Right[layer] += accuracies[layer] * rows;
        }
    }

    /// <summary>
    /// The layer that is right most often after an epoch, and of several the one of the lowest loss. The loss alone prefers layers that are
    /// unsure of all they say. Null where no layer has a finite loss.
    /// </summary>
    public int? Best(int epoch)
    {
        var sum = sums[epoch - firstEpoch];
        int[] finite = [.. Enumerable.Range(0, layers).Where(layer => double.IsFinite(sum.Losses[layer]))];
        if (finite.Length == 0) return null;
        return finite.OrderByDescending(layer => Math.Round(sum.Right[layer])).ThenBy(layer => sum.Losses[layer]).First();
    }

    /// <summary>Mean loss and accuracy of a layer after an epoch.</summary>
    public (double Loss, double Accuracy) Of(int layer, int epoch)
    {
        var sum = sums[epoch - firstEpoch];
        return (sum.Losses[layer] / sum.Rows, sum.Right[layer] / sum.Rows);
    }

    private sealed record Sums(double[] Losses, double[] Right)
    {
        public int Rows { get; set; }
    }
}
