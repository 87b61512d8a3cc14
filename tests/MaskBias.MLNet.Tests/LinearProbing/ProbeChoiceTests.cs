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
        var seen = new List<TrainingProgress>();
        ml.MulticlassClassification.Trainers.LinearProbe(Sweep(o => (o.Epochs, o.Progress) = (2, new Recorder(seen)))).Fit(Keyed(ml.Data.LoadFromEnumerable(rows)));
        Assert.Contains(lines, line => line.Contains(" is the best of 21 settings by 80 rows held out, each out of one of 5 trainings;", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("81 images of 41 classes, judged by 80 held out", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("too few to choose", StringComparison.Ordinal));

        // Five parts and the whole, two epochs of a step each, are reported as one training.
        Assert.Equal(Enumerable.Range(1, 12).Select(i => (i, i, 12L, 12)), seen.Select(s => ((int)s.Step, s.Epoch, s.Steps, s.Epochs)));
        Assert.Equal([11, 12], seen.Where(s => s.Metrics.ContainsKey("validation accuracy")).Select(s => s.Step));
        Assert.Equal(seen.Select(s => s.Elapsed).Order(), seen.Select(s => s.Elapsed));
    }

    [Theory]
    [InlineData(1e-9, 10)]
    [InlineData(0.2, 5)]
    [InlineData(0.9, 2)]
    public void There_are_two_to_ten_parts(double fraction, int parts)
    {
        ml.MulticlassClassification.Trainers.LinearProbe(Sweep(o => (o.Epochs, o.ValidationFraction) = (1, fraction))).Fit(Signal(40, seed: 1));
        Assert.Contains(lines, line => line.Contains($"40 rows held out, each out of one of {parts} trainings", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_too_little_to_choose_by_still_tells_how_good_the_classifier_is()
    {
        using var encoder = TinyEncoders.Plain();
        using var few = new ShapePhotos(perClass: 4);
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, Sweep(o => o.Features = null)).Fit(Keyed(few.Load(ml)));
        var report = model.Report;
        Assert.Equal((0.1, 0.3, 12, 12), (report.BaseLearningRate, report.WeightDecay, report.Run.Images, report.ValidationRows));
        Assert.Contains(lines, line => line.Contains("12 rows of 3 classes are too few to choose among 21 settings", StringComparison.Ordinal));
        Assert.InRange(report.Epochs[^1].ValidationAccuracy!.Value, 0.5, 1);
    }

    [Fact]
    public void Of_many_rows_a_part_is_held_out_and_then_learned_from_as_well()
    {
        var seen = new List<TrainingProgress>();
        ml.MulticlassClassification.Trainers.LinearProbe(Sweep(o => (o.Epochs, o.Progress) = (2, new Recorder(seen)))).Fit(Signal(4000, seed: 1));
        Assert.Contains(lines, line => line.Contains("3200 images of 2 classes, judged by 800 held out", StringComparison.Ordinal)
            && line.Contains("weight decay 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3;", StringComparison.Ordinal));
        string choice = lines.Single(line => line.Contains(" is the best of 21 settings by 800 rows held out; it is trained again on all rows.", StringComparison.Ordinal));
        string decay = choice.Split("weight decay ")[1].Split(' ')[0];
        Assert.Contains(lines, line => line.Contains("4000 images of 2 classes, judged by 0 held out", StringComparison.Ordinal)
            && line.Contains($"weight decay {decay};", StringComparison.Ordinal));
        const int Steps = (2 * (3200 / 256)) + (2 * (4000 / 256));
        Assert.Equal(Enumerable.Range(1, Steps).Select(i => (long)i), seen.Select(s => s.Step));
        Assert.All(seen, s => Assert.Equal(Steps, s.Steps));
    }

    // Views are cut anew in every epoch, and so are held out once.
    [Fact]
    public void Of_views_the_choice_is_made_once_and_told()
    {
        using var encoder = TinyEncoders.Plain();
        using var photos = new ShapePhotos(perClass: 20);
        var options = Sweep(o =>
        {
            (o.Epochs, o.Features, o.ValidationFraction, o.Augmentation) = (4, null, 0.5, new() { MinScale = 0.8 });
            (o.LearningRates, o.WeightDecays) = ([0.5], [0.001, 10]);
        });
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, options).Fit(Keyed(photos.Load(ml)));
        Assert.Equal((30, 30, 0.001), (model.Report.Run.Images, model.Report.ValidationRows, model.Report.WeightDecay));
        Assert.Contains("Linear probe: learning rate 0.5 with weight decay 0.001 is the best of 2 settings by 30 rows held out.", lines);
    }

    [Fact]
    public void Cancelling_between_two_trainings_ends_all_of_them()
    {
        using var source = new CancellationTokenSource();
        var options = Sweep(o => (o.Epochs, o.CancellationToken, o.Progress) = (1, source.Token, new Canceller(source)));
        Assert.ThrowsAny<OperationCanceledException>(() => ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(Signal(40, seed: 1)));
        Assert.DoesNotContain(lines, line => line.Contains("is the best", StringComparison.Ordinal));
    }

    // Few rows, some under a wrong name, which the noise of many features lets a layer learn by heart: the textbook's case for a strong decay.
    [Fact]
    public void With_few_rows_a_strong_decay_is_found_and_is_worth_it()
    {
        var (known, asked) = (Signal(120, seed: 1, wrong: 5), Signal(4000, seed: 2));
        double swept = Accuracy(Sweep()), chosen = Accuracy(Sweep(o => (o.LearningRates, o.WeightDecays) = ([0.5], [0, 0.3])));
        string[] choices = [.. lines.Where(line => line.Contains(" is the best of ", StringComparison.Ordinal))];
        Assert.Contains("with weight decay 0.3 is the best of 21 settings", choices[0]);
        Assert.Contains("learning rate 0.5 with weight decay 0.3 is the best of 2 settings", choices[1]);
        double none = Accuracy(Sweep(o => (o.LearningRates, o.WeightDecays, o.ValidationFraction) = ([0.5], null, 0)));
        Assert.True(chosen > none + 0.02, $"{chosen}, {none}");
        Assert.True(swept > none + 0.02, $"{swept}, {none}");

        double Accuracy(LinearProbeOptions options) =>
            ml.MulticlassClassification.Evaluate(ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(known).Transform(asked)).MicroAccuracy;
    }

    [Fact]
    public void The_most_often_right_wins_then_the_lower_loss_and_never_what_is_no_number()
    {
        var measures = new LayerMeasures(layers: 4);
        measures.Add(0, [1, 1, 1, 0.5], [0.2, 0.2, 0.2, 0.1], 10);
        measures.Add(1, [0.1, 0.9, 0.8, double.NaN], [0.5, 0.6, 0.6, 1], 10);
        measures.Add(1, [0.1, 0.9, 0.8, 0.1], [0.4, 0.4, 0.4, 1], 5);
        Assert.Equal((0, 2), (measures.Best(0)!.Value, measures.Best(1)!.Value));
        Assert.Equal(0.8, measures.Of(2, 1).Loss, 1e-12);
        Assert.Equal(8.0 / 15, measures.Of(2, 1).Accuracy, 1e-12);
        Assert.Equal(0.1, measures.Of(0, 1).Loss, 1e-12);

        var none = new LayerMeasures(layers: 2, firstEpoch: 7);
        none.Add(7, [double.NaN, 1], [1, 1], 1);
        none.Add(7, [1, double.PositiveInfinity], [1, 1], 1);
        Assert.Null(none.Best(7));
    }

    // Two steps by hand: d = g + w·p; u ← 0.9·u + d; p ← p − η·u
    [Fact]
    public void Each_layer_has_its_own_rate_and_decay()
    {
        float[] stepped = Train([(3, 0.5f)])[0];
        double p = 1, u = 0;
        foreach (double g in new[] { 0.1, 0.1 })
        {
            u = 0.9 * u + g + 0.5 * 0.2 * p;
            p -= 3 * 0.01 * u;
        }
        Assert.Equal(p, stepped[0], 1e-6);

        (float Rate, float Decay)[] settings = [(1, 1), (3, 0), (3, 0.5f)];
        float[][] together = Train(settings);
        for (int i = 0; i < settings.Length; i++) Assert.Equal(Train([settings[i]])[0], together[i], (a, b) => Math.Abs(a - b) < 1e-6f);

        static float[][] Train((float Rate, float Decay)[] settings)
        {
            using var scope = NewDisposeScope();
            var parameter = nn.Parameter(ones([settings.Length, 3]));
            using var optimizer = new StackedMomentum([parameter], [.. settings.Select(s => s.Rate)], [.. settings.Select(s => s.Decay)], 0.9);
            for (int step = 0; step < 2; step++)
            {
                parameter.grad = tensor(new float[] { 0.1f, -0.2f, step }).expand(settings.Length, -1).clone();
                optimizer.Set(0.01, 0.2);
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

    private sealed class Recorder(List<TrainingProgress> seen) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => seen.Add(value);
    }

    private sealed class Canceller(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => source.Cancel();
    }
}
