using System.Globalization;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>What one of the linear layers that are trained side by side is trained with.</summary>
/// <param name="LearningRate">Base learning rate.</param>
/// <param name="WeightDecay">Weight decay.</param>
internal readonly record struct LayerSetting(double LearningRate, double WeightDecay)
{
    private static readonly LayerSetting ForFewRows = new(0.1, 0.3);        // none is much better where a class has but a label or two

    /// <summary>Every learning rate with every weight decay.</summary>
    public static LayerSetting[] All(LinearProbeOptions options) =>
        [.. options.LearningRates.SelectMany(_ => options.WeightDecays ?? [options.WeightDecay], (rate, decay) => new LayerSetting(rate, decay))];

    /// <summary>The one to take where rows are too few to choose by.</summary>
    public static LayerSetting OfFewRows(IEnumerable<LayerSetting> settings) => settings
        .OrderBy(s => Math.Abs(Math.Log(s.LearningRate / ForFewRows.LearningRate))).ThenBy(s => Math.Abs(s.WeightDecay - ForFewRows.WeightDecay)).First();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"learning rate {LearningRate:g4} with weight decay {WeightDecay:g4}");
}
