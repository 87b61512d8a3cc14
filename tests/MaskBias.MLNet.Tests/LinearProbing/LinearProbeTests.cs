using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.LinearProbing;

public sealed class LinearProbeTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 12);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly TempFolder folder = new();

    // A few epochs, on features that tell even an untrained encoder's images apart.
    private static LinearProbeOptions Quick(bool cached = true)
    {
        var options = LinearProbeOptions.Sweep();
        (options.Epochs, options.Features, options.BatchSize, options.Seed, options.ValidationFraction) = (40, null, 12, 3, 0.2);
        (options.LearningRates, options.WeightDecays) = ([0.01, 0.3, 1], null);
        if (!cached) (options.Augmentation, options.Epochs, options.LearningRates) = (new() { MinScale = 0.8 }, 15, [1]);
        return options;
    }

    private IEstimator<ITransformer> Pipeline(LinearProbeOptions options) => ml.Transforms.Conversion.MapValueToKey("Label")
        .Append(ml.MulticlassClassification.Trainers.LinearProbe(encoder, options))
        .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

    [Fact]
    public void Photos_that_are_stored_turned_are_learned_from_upright()
    {
        List<ShapePhotos.Row> turned = [], upright = [];
        foreach (var (row, i) in photos.Rows.Select((row, i) => (row, i)))
        {
            byte[] jpeg = SampleImages.JpegWithOrientation(SampleImages.Shape(i % 3, i, 48, 40, SkiaSharp.SKEncodedImageFormat.Jpeg), 6);
            turned.Add(new() { ImagePath = folder.Write($"{i}.jpg", jpeg), Label = row.Label });
            upright.Add(new() { ImagePath = folder.Write($"{i}.png", ImageDecoder.Decode(jpeg, "x").ToPng()), Label = row.Label });
        }
        using var ofTurned = Fit(turned);
        using var ofUpright = Fit(upright);
        Assert.Contains(ofTurned.Report.Run.Warnings, w => w.StartsWith("36 of 36 images are stored turned.", StringComparison.Ordinal));
        Assert.DoesNotContain(ofUpright.Report.Run.Warnings, w => w.Contains("stored turned", StringComparison.Ordinal));
        Assert.Equal(ofUpright.Report.Epochs.Select(e => e.TrainingLoss), ofTurned.Report.Epochs.Select(e => e.TrainingLoss));
        Assert.Equal(Scores(ofUpright.Transform(Keyed(upright))), Scores(ofTurned.TransformUpright(Keyed(turned))));
        Assert.NotEqual(Scores(ofTurned.Transform(Keyed(turned))), Scores(ofTurned.TransformUpright(Keyed(turned))));

        ImageClassifier Fit(List<ShapePhotos.Row> rows) => ml.MulticlassClassification.Trainers.LinearProbe(encoder, Quick()).Fit(Keyed(rows));

        IDataView Keyed(List<ShapePhotos.Row> rows)
        {
            var data = ml.Data.LoadFromEnumerable(rows);
            return ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        }

        static float[][] Scores(IDataView rows) => [.. rows.GetColumn<float[]>("Score")];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_learns_evaluates_and_reports(bool cached)
    {
        var options = Quick(cached);
        var progress = new List<TrainingProgress>();
        options.Progress = new Recorder(progress);
        var data = photos.Load(ml);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, options).Fit(keyed);
        var scored = model.Transform(keyed);
        var metrics = ml.MulticlassClassification.Evaluate(scored, topKPredictionCount: 2);
        Assert.True(metrics.MicroAccuracy > 0.9, $"{metrics.MicroAccuracy}; {model.Report}");
        Assert.True(metrics.TopKAccuracy >= metrics.MicroAccuracy);
        Assert.Null(scored.Schema.GetColumnOrNull("__Classifier"));
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["Score"].GetSlotNames(ref names);
        Assert.Equal(model.Classes, names.DenseValues().Select(n => n.ToString()));
        Assert.Same(model.Classes, model.Classes);                      // read once: there may be many

        var report = model.Report;
        Assert.Equal(cached ? 36 : 30, report.Run.Images);              // the best is trained again on all
        Assert.Equal((options.Epochs, 3, cached ? 36 : 6), (report.Epochs.Count, report.Classes, report.ValidationRows));
        Assert.Equal(options.Epochs, report.BestEpoch);
        Assert.Contains(report.BaseLearningRate, options.LearningRates);
        Assert.Equal(report.BaseLearningRate * 12 / 256, report.Run.LearningRate, 1e-12);
        Assert.Equal(options.Epochs, progress.Count(p => p.Metrics.ContainsKey("validation accuracy")));
        Assert.True(report.Epochs[^1].TrainingLoss < report.Epochs[0].TrainingLoss);
    }

    [Fact]
    public void The_same_seed_gives_the_same_model_and_other_keys_cross_validate()
    {
        var data = photos.Load(ml);
        float[][] first = Scores(), second = Scores();
        Assert.Equal(first, second);
        var folds = ml.MulticlassClassification.CrossValidate(data, Pipeline(Quick()), numberOfFolds: 2, seed: 1);
        Assert.All(folds, fold => Assert.True(fold.Metrics.MicroAccuracy > 0.6, $"{fold.Metrics.MicroAccuracy}"));

        float[][] Scores() => Pipeline(Quick()).Fit(data).Transform(data).GetColumn<float[]>("Score").ToArray();
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(0, true)]
    public void A_process_with_ML_NET_alone_gives_the_same_classes(int lastBlocks, bool patchMean)
    {
        var options = Quick();
        options.Features = new() { LastBlocks = lastBlocks, AppendPatchMean = patchMean };
        var data = ml.Data.LoadImageFolder(photos.Path);
        var model = Pipeline(options).Fit(data);
        var expected = ml.Data.CreateEnumerable<ShapePhotos.Prediction>(model.Transform(data), false, ignoreMissingColumns: true).ToArray();
        string path = Path.Combine(folder.Path, "model.zip");
        ml.Model.Save(model, data.Schema, path);
        var files = data.GetColumn<string>("ImagePath").ToArray();
        foreach (var (own, fresh) in Pairs.Of(expected, FreshProcess.Classify(path, files)))
        {
            Assert.All(Pairs.Of(own.Score, fresh.Score), s => Assert.Equal(s.First, s.Second, 1e-3f));
            Assert.Equal(own.PredictedLabel, fresh.Label);
        }
        Assert.True(expected.Select(e => e.PredictedLabel).Distinct().Count() > 1);
    }

    [Fact]
    public void Saliency_finds_what_the_answer_rests_on()
    {
        var data = photos.Load(ml);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, Quick()).Fit(keyed);
        var image = ImageDecoder.Decode(photos.Rows[0].Encoded, "the test's image");
        var map = model.Saliency(image, windowPatches: 1);
        Assert.Equal((4, 16, photos.Rows[0].Label), (map.GridSize, map.Values.Count, map.ClassName));
        Assert.Equal(model.Transform(keyed).GetColumn<float[]>("Score").First().Max(), map.Probability, 1e-4);
        Assert.True(map.Values.Max() > map.Values.Min());
        Assert.Equal((32, 32), (map.ToImage().Height, map.ToImage().Width));
        Assert.Contains("There is no class 'x'; the classes are '", Assert.Throws<ArgumentException>(() => model.Saliency(image, "x")).Message);
        Assert.Contains("it must lie in [1, 4]", Assert.Throws<ArgumentException>(() => model.Saliency(image, windowPatches: 5)).Message);
    }

    [Fact]
    public void Features_in_a_column_give_a_model_of_ML_NET_with_permutation_importance()
    {
        var rows = FeatureRows(60);
        var data = ml.Transforms.Conversion.MapValueToKey("Label").Fit(ml.Data.LoadFromEnumerable(rows)).Transform(ml.Data.LoadFromEnumerable(rows));
        var options = Quick();
        options.ClassWeighting = ClassWeighting.Balanced;
        var model = ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(data);
        Assert.Equal(1, ml.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy);
        var importance = ml.MulticlassClassification.PermutationFeatureImportance(model, data);
        Assert.True(importance.Min(v => v.MicroAccuracy.Mean) < -0.1);
    }

    [Fact]
    public void Bad_rows_are_left_out_or_named()
    {
        var trainer = ml.MulticlassClassification.Trainers.LinearProbe(Quick());
        var rows = FeatureRows(30);
        rows[3].Features[1] = float.NaN;
        rows[4].Label = "";
        var model = trainer.Fit(Keyed(rows));
        Assert.NotNull(model);
        Assert.Contains("append MapValueToKey(\"Label\")", Error(() => trainer.Fit(ml.Data.LoadFromEnumerable(rows))));
        Assert.Contains("All 30 labelled rows are of the class 'a'", Error(() => trainer.Fit(Keyed([.. FeatureRows(30).Select(r => new Row { Label = "a", Features = r.Features })]))));
        foreach (var row in rows) row.Features[0] = float.NaN;
        Assert.Contains("No row with a usable image has a class", Error(() => trainer.Fit(Keyed(rows))));

        var missing = photos.Load(ml);
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(missing).Transform(missing);
        Assert.Contains("There is no column 'Nothing'", Error(() => ml.MulticlassClassification.Trainers.LinearProbe(encoder, With(o => o.ImageColumnName = "Nothing")).Fit(keys)));
        Assert.Contains("the encoder has no mask-guided attention bias", Error(() => ml.MulticlassClassification.Trainers.LinearProbe(encoder, With(o => o.MaskColumnName = "M"))));

        static LinearProbeOptions With(Action<LinearProbeOptions> change)
        {
            var options = Quick();
            change(options);
            return options;
        }
    }

    [Fact]
    public void An_image_that_cannot_be_read_is_named_by_its_row_in_the_data()
    {
        (photos.Rows[0].Label, photos.Rows[2].Label) = ("", "");
        photos.Rows[5].ImagePath = Path.Combine(folder.Path, "missing.png");
        var lines = new List<string>();
        ml.Log += (_, e) => lines.Add(e.Message);
        var data = photos.Load(ml);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        using var model = ml.MulticlassClassification.Trainers.LinearProbe(encoder, Quick(cached: false)).Fit(keyed);
        Assert.Contains(lines, l => l.Contains("1 of 34 images cannot be read and are left out: Row 5, column 'ImagePath'"));
        Assert.Equal((1, 33), (model.Report.Run.SkippedRows, model.Report.Run.Images + model.Report.ValidationRows));
        var readable = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(ml.Data.LoadFromEnumerable(photos.Rows.Skip(6)));
        Assert.True(ml.MulticlassClassification.Evaluate(model.Transform(readable)).MicroAccuracy > 0.8);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Masks_guide_a_guided_encoder(bool cached)
    {
        // One image, and its left or its right half as the mask: nothing but the mask tells the classes apart.
        byte[][] halves = [.. new[] { 0, 16 }.Select(from =>
            MaskSet.FromBitmaps(32, 32, [[.. Enumerable.Range(0, 32 * 32).Select(i => i % 32 >= from && i % 32 < from + 16)]]).Encode())];
        byte[] png = SampleImages.Shape(0, 0, 32, 32);
        var rows = Enumerable.Range(0, 24).Select(i => new MaskedRow { Encoded = png, Masks = halves[i % 2], Label = $"{i % 2}" }).ToArray();
        var data = ml.Data.LoadFromEnumerable(rows);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        using var guided = TinyEncoders.MaskGuided();
        var options = Quick(cached);
        if (!cached) (options.Augmentation, options.Epochs) = (new() { MinScale = 0.9, FlipProbability = 0 }, 60);
        (options.ImageColumnName, options.LearningRates, options.ValidationFraction) = ("Encoded", [1], 0);
        Assert.True(Accuracy() < 0.8);
        options.MaskColumnName = "Masks";
        Assert.Equal(1, Accuracy());

        double Accuracy()
        {
            using var model = ml.MulticlassClassification.Trainers.LinearProbe(guided, options).Fit(keyed);
            return ml.MulticlassClassification.Evaluate(model.Transform(keyed)).MicroAccuracy;
        }
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        string message = Error(() => ml.MulticlassClassification.Trainers.LinearProbe(encoder, new LinearProbeOptions
        {
            LearningRates = [1, -1], Momentum = 1, BatchSize = 0, Features = new() { LastBlocks = 0 }, WeightDecay = 0.5, WeightDecays = [0, 0.1, 20],
        }));
        foreach (string part in new[] { "LearningRates is [1, -1]", "LearningRates has 2 values, WeightDecays 3 and ValidationFraction is 0; to choose the best",
            "WeightDecay is 0.5 and WeightDecays has 3 values", "WeightDecays is [0, 0.1, 20]; each must lie in [0, 10]", "Momentum is 1", "BatchSize is 0",
            "Features.LastBlocks is 0" })
        {
            Assert.Contains(part, message);
        }
        double[] many = [.. Enumerable.Range(1, 65).Select(i => i / 100.0)];
        Assert.Contains("LearningRates has 65 values; these are 65 layers, and there may be 64.",
            Error(() => ml.MulticlassClassification.Trainers.LinearProbe(encoder, new LinearProbeOptions { LearningRates = many, ValidationFraction = 0.1 })));
        Assert.Contains("WeightDecays is empty", Error(() => ml.MulticlassClassification.Trainers.LinearProbe(encoder, new LinearProbeOptions { WeightDecays = [] })));
    }

    // Supplement, Tables 3 and 4
    [Fact]
    public void Presets_are_the_tables()
    {
        var dino = LinearProbeOptions.Dino();
        Assert.Equal((ProbeOptimizer.Sgd, 0.9, 0.0, 256, 100, 0), (dino.Optimizer, dino.Momentum, dino.WeightDecay, dino.BatchSize, dino.Epochs, dino.WarmupEpochs));
        Assert.Equal([1e-3], dino.LearningRates);
        Assert.Equal((4, 0.5, false), (dino.Features!.LastBlocks, dino.Augmentation!.FlipProbability, dino.BatchNorm));
        var mae = LinearProbeOptions.Mae();
        Assert.Equal((ProbeOptimizer.Lars, 0.9, 0.0, 16384, 90, 10), (mae.Optimizer, mae.Momentum, mae.WeightDecay, mae.BatchSize, mae.Epochs, mae.WarmupEpochs));
        Assert.Equal([0.1], mae.LearningRates);
        Assert.Equal((1, true), (mae.Features!.LastBlocks, mae.BatchNorm));
        Assert.NotNull(mae.Augmentation);
    }

    [Fact]
    public void What_a_preset_comes_to_is_logged_and_reported()
    {
        var lines = new List<string>();
        ml.Log += (_, e) => lines.Add(e.Message);
        var options = LinearProbeOptions.Mae();
        options.Augmentation = null;
        var rows = FeatureRows(64);
        ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(Keyed(rows));
        Assert.Contains(lines, l => l.Contains("BatchSize is 64, not 16384: there are 64 images."));
        Assert.Contains(lines, l => l.Contains("64 images of 3 classes, judged by 0 held out; batch 64, 1 steps per epoch, 90 in all, 10 of warm-up; learning rate 0.025 (base × 64 / 256)"));
        Assert.Contains(lines, l => l.Contains("epoch 90 of 90, training loss"));
    }

    private IDataView Keyed(List<Row> rows)
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        return ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
    }

    private static List<Row> FeatureRows(int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(i => new Row
        {
            Label = "abc"[i % 3].ToString(),
            Features = [.. Enumerable.Range(0, 4).Select(d => (float)random.NextDouble() + (d == i % 3 ? 2 : 0))],
        })];
    }

    private static string Error(Action act) => Assert.ThrowsAny<Exception>(act).ToString();

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
        folder.Dispose();
    }

    private sealed class MaskedRow
    {
        public byte[] Encoded { get; set; } = [];

        public byte[] Masks { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Recorder(List<TrainingProgress> seen) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => seen.Add(value);
    }
}
