using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.LinearProbing;

/// <summary>How a linear probe chooses among learning rates and weight decays.</summary>
public sealed class ProbeChoiceTests
{
    private readonly MLContext ml = new(1);
    private readonly List<string> lines = [];

    public ProbeChoiceTests() => ml.Log += (_, entry) => lines.Add(entry.RawMessage);

    private static LinearProbeOptions Sweep(Action<LinearProbeOptions>? change = null)
    {
        var options = LinearProbeOptions.Sweep();
        options.Seed = 3;
        change?.Invoke(options);
        return options;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_too_few_rows_to_choose_by_none_is_held_out_and_a_middle_rate_is_taken(bool cached)
    {
        var options = Sweep(o =>
        {
            (o.Epochs, o.Features, o.LearningRates, o.WeightDecays) = (2, null, [1e-4, 0.2, 5], [0, 0.2, 1]);
            if (!cached) o.Augmentation = new() { MinScale = 0.8 };
        });
        using var encoder = TinyEncoders.Plain();
        using var few = new ShapePhotos(perClass: 1);
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, options).Fit(Keyed(few.Load(ml)));
        var report = model.Report;
        Assert.Equal((0.2, 0.2, 3, 0), (report.BaseLearningRate, report.WeightDecay, report.Run.Images, report.ValidationRows));
        Assert.Contains("3 rows of 3 classes are too few to choose among 9 settings by those that can be held out (0): "
            + "learning rate 0.2 with weight decay 0.2 is taken, and all rows are learned from.", lines);
    }

    [Fact]
    public void Of_few_rows_each_is_held_out_once_but_for_the_only_one_of_a_class()
    {
        // 40 classes of two rows, and one of one.
        var rows = Enumerable.Range(0, 81).Select(i => new Row { Label = $"class {i / 2}", Features = [.. Noise(i).Take(Row.Size - 1), i / 2] });
        ml.MulticlassClassification.Trainers.LinearProbe(Sweep(o => o.Epochs = 2)).Fit(Keyed(ml.Data.LoadFromEnumerable(rows)));
        Assert.Contains(lines, line => line.Contains("of 21 layers that of learning rate ", StringComparison.Ordinal)
            && line.Contains(" is the best by 80 rows, each held out in one of 5 trainings; it is trained again on all rows.", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("81 images of 41 classes, 80 more held out", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("too few to choose", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_many_rows_a_part_is_held_out_and_then_learned_from_as_well()
    {
        ml.MulticlassClassification.Trainers.LinearProbe(Sweep(o => o.Epochs = 2)).Fit(Signal(1000, seed: 1));
        Assert.Contains(lines, line => line.Contains("800 images of 2 classes, 200 more held out", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains(" is the best by 200 rows; it is trained again on all rows.", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("1000 images of 2 classes, 0 more held out", StringComparison.Ordinal));
    }

    // Few rows, some under a wrong name, which the noise of many features lets a layer learn by heart: the textbook's case for a strong decay.
    [Fact]
    public void With_few_rows_a_strong_decay_is_found_and_is_worth_it()
    {
        var (known, asked) = (Signal(120, seed: 1, wrong: 5), Signal(4000, seed: 2));
        double swept = Accuracy(Sweep());
        double undecayed = Accuracy(Sweep(o => o.WeightDecays = [0]));
        double chosen = Accuracy(Sweep(o => (o.LearningRates, o.WeightDecays) = ([0.5], [0, 0.3])));
        Assert.True(swept > undecayed - 0.002, $"{swept}, {undecayed}");
        Assert.Contains(lines, line => line.Contains("of 2 layers that of learning rate 0.5 with weight decay 0.3 is the best", StringComparison.Ordinal));
        double none = Accuracy(Sweep(o => (o.LearningRates, o.WeightDecays, o.ValidationFraction) = ([0.5], null, 0)));
        Assert.True(chosen > none + 0.02, $"{chosen}, {none}");

        double Accuracy(LinearProbeOptions options) =>
            ml.MulticlassClassification.Evaluate(ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(known).Transform(asked)).MicroAccuracy;
    }

    [Fact]
    public void The_most_often_right_wins_then_the_lower_loss_and_never_what_is_no_number()
    {
        var measures = new LayerMeasures(epochs: 2, layers: 4);
        measures.Add(0, [1, 1, 1, 0.5], [0.2, 0.2, 0.2, 0.1], 10);
        measures.Add(1, [0.1, 0.9, 0.8, double.NaN], [0.5, 0.6, 0.6, 1], 10);
        measures.Add(1, [0.1, 0.9, 0.8, 0.1], [0.4, 0.4, 0.4, 1], 5);
        Assert.Equal((0, 2), (measures.Best(0), measures.Best(1)));
        var (loss, accuracy) = measures.Of(1, 1);
        Assert.Equal((0.9, 8.0 / 15), (loss, accuracy), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-12);
    }

    [Fact]
    public void Layers_side_by_side_learn_as_each_would_alone()
    {
        (float Rate, float Decay)[] settings = [(1, 1), (1, 0), (2, 0.5f)];
        float[][] together = Train(settings);
        for (int i = 0; i < settings.Length; i++) Assert.Equal(Train([settings[i]])[0], together[i], (a, b) => Math.Abs(a - b) < 1e-6f);
        Assert.NotEqual(together[0], together[1]);

        static float[][] Train((float Rate, float Decay)[] settings)
        {
            using var scope = NewDisposeScope();
            var parameter = nn.Parameter(ones([settings.Length, 3]));
            using var optimizer = new StackedMomentum([parameter], [.. settings.Select(s => s.Rate)], [.. settings.Select(s => s.Decay)], 0.9);
            for (int step = 0; step < 4; step++)
            {
                parameter.grad = tensor(new float[] { 0.1f, -0.2f, step }).expand(settings.Length, -1).clone();
                optimizer.Set(0.1, 0.3);
                optimizer.Step();
            }
            return [.. Enumerable.Range(0, settings.Length).Select(i => parameter[i].data<float>().ToArray())];
        }
    }

    private IDataView Keyed(IDataView data) => ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);

    // Two classes, told apart by a little of ten features among many; every so many rows have the other's name.
    private IDataView Signal(int count, int seed, int wrong = int.MaxValue) => Keyed(ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
    {
        float[] features = Noise((seed * 100_000) + i);
        for (int f = 0; f < 10; f++) features[f] += i % 2 == 0 ? 0.5f : -0.5f;
        return new Row { Label = (i % 2 == 0) == (i % wrong > 0 || i == 0) ? "even" : "odd", Features = features };
    })));

    private static float[] Noise(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Row.Size).Select(_ => (float)Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * (float)Math.Cos(2 * Math.PI * random.NextDouble()))];
    }

    private sealed class Row
    {
        public const int Size = 100;

        public string Label { get; set; } = "";

        [VectorType(Size)]
        public float[] Features { get; set; } = [];
    }
}
