using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>What was measured before the first epoch and after each one, in a tensor, so that a checkpoint keeps it.</summary>
internal sealed class EpochMeasures : IDisposable
{
    private const double NotThere = 0, Unmeasured = 1, Measured = 2;

    private readonly Tensor values;                     // [1 + epochs, 3]: one of the above, loss, accuracy

    public EpochMeasures(int epochs) => values = zeros(1 + epochs, 3, ScalarType.Float64).DetachFromDisposeScope();

    /// <summary>The measures by name, for a checkpoint.</summary>
    public KeyValuePair<string, Tensor> State => KeyValuePair.Create("epochs", values);

    /// <summary>What was measured before the first epoch, if anything was.</summary>
    public (double Loss, double Accuracy)? AtStart => At(0).Measure;

    /// <summary>The measures of the epochs that have ended; null where no rows are held out.</summary>
    public IReadOnlyList<(double Loss, double Accuracy)?> Ended =>
        [.. Enumerable.Range(1, (int)values.shape[0] - 1).Select(At).TakeWhile(m => m.IsThere).Select(m => m.Measure)];

    /// <summary>Keeps a measure.</summary>
    /// <param name="epochs">Epochs that have ended.</param>
    /// <param name="measure">Of the rows held out; null where there are none.</param>
    public void Set(int epochs, (double Loss, double Accuracy)? measure)
    {
        using var row = tensor(measure is { } known ? new[] { Measured, known.Loss, known.Accuracy } : [Unmeasured, 0, 0]);
        using var place = values[epochs];
        place.copy_(row);
    }

    public void Dispose() => values.Dispose();

    private (bool IsThere, (double Loss, double Accuracy)? Measure) At(int epochs)
    {
        using var row = values[epochs];
        double[] three = row.data<double>().ToArray();
        return (three[0] != NotThere, three[0] == Measured ? (three[1], three[2]) : null);
    }
}
