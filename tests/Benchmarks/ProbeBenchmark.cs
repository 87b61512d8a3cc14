using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.LinearProbing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>The cached linear probe, 21 layers for 100 epochs, against ML.NET's own trainer on the same embeddings.</summary>
internal static class ProbeBenchmark
{
    private const int Rows = 2000, TestRows = 2000, Dimensions = 384, Classes = 10, Rounds = 3, FewEpochs = 10;

    public static void Run(TextWriter output)
    {
        var ml = new MLContext(seed: 1);
        var (train, test) = (Embeddings(ml, Rows, 1), Embeddings(ml, TestRows, 2));
        double probed = 0, single = 0, brief = 0, reference = 0;
        var options = LinearProbeOptions.Sweep();
        options.Seed = 1;
        var one = LinearProbeOptions.Sweep();
        (one.Seed, one.LearningRates, one.WeightDecays, one.ValidationFraction) = (1, [0.02], null, 0);
        var few = LinearProbeOptions.Sweep();
        (few.Seed, few.LearningRates, few.WeightDecays, few.ValidationFraction, few.Epochs) = (1, [0.05], null, 0, FewEpochs);
        double[] seconds = Timing.Medians(Rounds,
            () => probed = Accuracy(ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(train)),
            () => single = Accuracy(ml.MulticlassClassification.Trainers.LinearProbe(one).Fit(train)),
            () => brief = Accuracy(ml.MulticlassClassification.Trainers.LinearProbe(few).Fit(train)),
            () => reference = Accuracy(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(train)));
        output.WriteLine(FormattableString.Invariant(
            $"  {Rows} embeddings of {Dimensions}, {Classes} classes: {options.LearningRates.Length * options.WeightDecays!.Length} layers for {options.Epochs} epochs in {seconds[0]:0.00} s, accuracy {probed:0.0000} on {TestRows} others"));
        Write($"one rate, {one.Epochs} epochs", seconds[1], single);
        Write($"one rate, {few.Epochs} epochs", seconds[2], brief);
        Write("LbfgsMaximumEntropy", seconds[3], reference);

        void Write(string name, double time, double accuracy) => output.WriteLine(FormattableString.Invariant(
            $"  {name}: {time:0.000} s, {time / seconds[3]:0.0} times LbfgsMaximumEntropy's; accuracy {accuracy:0.0000}"));

        double Accuracy(ITransformer model) => ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
    }

    // Class means that lie close to each other in a cloud whose spread differs from dimension to dimension, as those of embeddings do.
    private static IDataView Embeddings(MLContext ml, int rows, int seed)
    {
        var (means, noise) = (new Random(7), new Random(seed));
        float[][] centers = [.. Enumerable.Range(0, Classes).Select(_ => Enumerable.Range(0, Dimensions).Select(d => 0.28f * Spread(d) * Normal(means)).ToArray())];
        var data = Enumerable.Range(0, rows).Select(i => new Row
        {
            Label = $"class {i % Classes}",
            Features = [.. centers[i % Classes].Select((center, d) => center + Spread(d) * Normal(noise))],
        }).ToArray();
        var view = ml.Data.LoadFromEnumerable(data);
        return ml.Data.Cache(ml.Transforms.Conversion.MapValueToKey("Label").Fit(view).Transform(view));
    }

    private static float Spread(int dimension) => 0.2f + 1.8f * dimension / Dimensions;

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(Dimensions)]
        public float[] Features { get; set; } = [];
    }
}
