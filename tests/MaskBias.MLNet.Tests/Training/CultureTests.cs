using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Tests.Pretraining;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training;

/// <summary>Messages have the same numbers wherever the process runs, in Germany too.</summary>
public sealed class CultureTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    [Fact]
    public void Options_out_of_range_are_printed_as_they_are_written() => InGermany(() =>
    {
        Assert.Contains("MaskRatio is 0.95; of 16 blocks", Fault(TinyTraining.Mae().With(o => o.MaskRatio = 0.95)));
        Assert.Contains("LocalMinScale is 0.5; it must not exceed LocalMaxScale 0.4.",
            Fault(new MultiCropOptions { LocalMinScale = 0.5, LocalMaxScale = 0.4 }));
        Assert.Contains("LearningRates is [0.5, -1.5];", Fault(new LinearProbeOptions { LearningRates = [0.5, -1.5], ValidationFraction = 0.1 }));
        Assert.Contains("MinLearningRate is 0.25 and", Fault(LinearProbeOptions.Sweep().With(o => o.MinLearningRate = 0.25)));
    });

    [Fact]
    public void A_run_is_described_in_the_same_words() => InGermany(() =>
    {
        var ml = new MLContext(1);
        var lines = new List<string>();
        ml.Log += (_, e) => lines.Add(e.Message);
        using var model = ml.SelfSupervised().Mae(TinyTraining.Mae()).Fit(scenes.Load(ml));
        Assert.Contains(lines, l => l.Contains("learning rate 2.93e-06, Float32"));
    });

    private static string Fault<T>(T options) where T : class =>
        Assert.Throws<ArgumentException>(() => OptionsValidator.Validate(options)).Message;

    // Its signs for numbers; the tests run without the system's cultures.
    private static void InGermany(Action act)
    {
        var before = CultureInfo.CurrentCulture;
        var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (german.NumberFormat.NumberDecimalSeparator, german.NumberFormat.NumberGroupSeparator) = (",", ".");
        CultureInfo.CurrentCulture = german;
        try
        {
            act();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
