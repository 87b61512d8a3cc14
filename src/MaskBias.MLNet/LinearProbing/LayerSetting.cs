using System.Globalization;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>What one of the linear layers that are trained side by side is trained with.</summary>
/// <param name="LearningRate">Base learning rate.</param>
/// <param name="WeightDecay">Weight decay.</param>
internal readonly record struct LayerSetting(double LearningRate, double WeightDecay)
{
    // With a label or two of a class it was right as often as without a decay, and not as sure of what was wrong.
    private static readonly LayerSetting ForFewRows = new(0.1, 0.3);

    /// <summary>Every learning rate with every weight decay.</summary>
    public static LayerSetting[] All(LinearProbeOptions options) =>
        [.. options.LearningRates.SelectMany(_ => options.WeightDecays ?? [options.WeightDecay], (rate, decay) => new LayerSetting(rate, decay))];

    /// <summary>The one to take where rows are too few to choose by: the rate of the nearest logarithm to 0.1's, the decay nearest to 0.3.</summary>
    public static LayerSetting OfFewRows(IEnumerable<LayerSetting> settings) => settings
        .OrderBy(s => Math.Abs(Math.Log(s.LearningRate / ForFewRows.LearningRate)))
        .ThenBy(s => Math.Abs(s.WeightDecay - ForFewRows.WeightDecay)).First();

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"learning rate {LearningRate:g4} with weight decay {WeightDecay:g4}");
}
