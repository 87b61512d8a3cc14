using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training;

/// <summary>A batch in parts gives the step of the whole batch, whatever is trained.</summary>
public sealed class AccumulationTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private const double Tolerance = 1e-5;

    private readonly MLContext ml = new(1);

    public static TheoryData<string, int> Cases => new()
    {
        { "Mae", 2 }, { "Mae", 10 }, { "Dino", 5 }, { "Distill", 2 }, { "Features", 5 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Parts_equal_the_whole_batch(string method, int parts)
    {
        using var whole = Fit(method, 1);
        using var inParts = Fit(method, parts);
        Assert.Equal((10, 1), (whole.Report.BatchSize, whole.Report.AccumulationSteps));
        Assert.Equal((10, parts), (inParts.Report.BatchSize, inParts.Report.AccumulationSteps));
        Assert.Equal(3, inParts.Report.Losses.Count);
        Assert.Equal(whole.Report.Losses, inParts.Report.Losses, (a, b) => Math.Abs(a - b) <= Tolerance);
        var (expected, actual) = (TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(inParts.Encoder));
        foreach (var (name, values) in expected)
        {
            // The keys' bias has a true gradient of 0: Adam makes rounding noise into steps of up to the learning rate.
            bool hasKeys = name.EndsWith("qkv.bias", StringComparison.Ordinal);
            double largest = values.Select((v, i) => hasKeys && i * 3 / values.Length == 1 ? 0 : Math.Abs(v - actual[name][i])).Max();
            Assert.True(largest <= Tolerance, $"{name} differs by {largest}");
        }
    }

    [Fact]
    public void Fewer_images_than_the_batch_keep_the_parts_small()
    {
        var options = TinyTraining.Mae().With(o => (o.BatchSize, o.AccumulationSteps) = (4096, 1024));
        using var model = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml));
        Assert.Equal((9, 3), (model.Report.BatchSize, model.Report.AccumulationSteps));
        Assert.Contains("BatchSize is 9, not 4096: there are 10 images.", model.Report.Adjustments);
        Assert.Contains("AccumulationSteps is 3, not 1024: a part has 3 images.", model.Report.Adjustments);
        Assert.Equal(1.5e-4 * 9 / 256, model.Report.LearningRate, 12);
    }

    private PretrainedTransformer Fit(string method, int parts)
    {
        var data = scenes.LoadWithMasks(ml);
        switch (method)
        {
            case "Mae":
                return ml.SelfSupervised().Mae(Common(TinyTraining.MaskedMae(), parts)).Fit(data);
            case "Dino":
                var dino = Common(TinyTraining.MaskedDino(), parts).With(o => (o.DropPath, o.FreezeLastLayerEpochs) = (0, 0));
                return ml.SelfSupervised().Dino(dino).Fit(data);
            default:
                var options = Common(TinyTraining.Distillation(), parts).With(o => (o.DropPath, o.StudentInit) = (0, StudentInit.Fresh));
                using (var teacher = TinyTraining.Teacher())
                using (var headless = new MaskBias.MLNet.Vit.VisionEncoder(new(TinyTraining.Encoder(), 8)))
                    return ml.SelfSupervised().Distill(method == "Features" ? headless : teacher, options).Fit(data);
        }
    }

    private static T Common<T>(T options, int parts) where T : PretrainingOptions
    {
        (options.Epochs, options.BatchSize, options.AccumulationSteps, options.WarmupEpochs) = (3, 10, parts, 0);
        (options.LearningRate, options.WarmupReachesPeak) = (0.01, true);       // each step moves weights by 40 times the tolerance
        return options;
    }
}
