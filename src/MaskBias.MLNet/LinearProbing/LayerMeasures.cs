namespace MaskBias.MLNet.LinearProbing;

/// <summary>Loss and accuracy of several linear layers after every epoch, on rows that were held out: once, or part by part.</summary>
/// <param name="epochs">Number of epochs.</param>
/// <param name="layers">Number of layers.</param>
internal sealed class LayerMeasures(int epochs, int layers)
{
    private readonly double[,] losses = new double[epochs, layers], right = new double[epochs, layers];      // sums over rows
    private readonly int[] rows = new int[epochs];

    /// <summary>Takes the means over some rows after an epoch, counted from 0.</summary>
    public void Add(int epoch, double[] meanLosses, double[] accuracies, int count)
    {
        rows[epoch] += count;
        for (int layer = 0; layer < layers; layer++)
        {
            losses[epoch, layer] += meanLosses[layer] * count;
            right[epoch, layer] += accuracies[layer] * count;
        }
    }

    /// <summary>The layer that is right most often, and of several the one of the lowest loss, which alone prefers layers that dare too little.</summary>
    public int Best(int epoch) => Enumerable.Range(0, layers).Where(layer => double.IsFinite(losses[epoch, layer]))
        .OrderByDescending(layer => Math.Round(right[epoch, layer])).ThenBy(layer => losses[epoch, layer]).FirstOrDefault();

    /// <summary>Mean loss and accuracy of a layer after an epoch.</summary>
    public (double Loss, double Accuracy) Of(int layer, int epoch) => (losses[epoch, layer] / rows[epoch], right[epoch, layer] / rows[epoch]);
}
