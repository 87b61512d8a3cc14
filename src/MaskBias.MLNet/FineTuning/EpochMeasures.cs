using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>What was measured before the first epoch and after each one, in a tensor, so that a checkpoint keeps it.</summary>
internal sealed class EpochMeasures : IDisposable
{
    private readonly Tensor values;                     // [1 + epochs, 3]: whether it was measured, loss, accuracy; NaN for none

    public EpochMeasures(int epochs) => values = zeros(1 + epochs, 3, ScalarType.Float64).DetachFromDisposeScope();

    /// <summary>The measures by name, for a checkpoint.</summary>
    public KeyValuePair<string, Tensor> State => KeyValuePair.Create("epochs", values);

    /// <summary>What was measured before the first epoch, if anything was.</summary>
    public (double Loss, double Accuracy)? AtStart => At(0) is (true, { } loss, { } accuracy) ? (loss, accuracy) : null;

    /// <summary>The measures of the epochs that have ended.</summary>
    public IReadOnlyList<(double? Loss, double? Accuracy)> Ended =>
        [.. Enumerable.Range(1, (int)values.shape[0] - 1).Select(At).TakeWhile(m => m.IsThere).Select(m => (m.Loss, m.Accuracy))];

    /// <summary>Keeps a measure.</summary>
    /// <param name="epochs">Epochs that have ended.</param>
    /// <param name="loss">Of the rows held out; null where there are none.</param>
    /// <param name="accuracy">Of the rows held out; null where there are none.</param>
    public void Set(int epochs, double? loss, double? accuracy)
    {
        using var row = tensor(new[] { 1, loss ?? double.NaN, accuracy ?? double.NaN });
        using var place = values[epochs];
        place.copy_(row);
    }

    public void Dispose() => values.Dispose();

    private (bool IsThere, double? Loss, double? Accuracy) At(int epochs)
    {
        using var row = values[epochs];
        double[] three = row.data<double>().ToArray();
        return (three[0] != 0, Known(three[1]), Known(three[2]));

        static double? Known(double value) => double.IsNaN(value) ? null : value;
    }
}
