using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.FineTuning;

[Collection(nameof(LiveTensors))]
public sealed class FineTuneTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 8);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly TempFolder folder = new();

    private static FineTuneOptions Quick() => new()
    {
        Epochs = 30, BatchSize = 12, LearningRate = 0.06, LayerDecay = 0.9, Seed = 2, ValidationFraction = 0.2, Device = ComputeDevice.Cpu,
        Pooling = FeaturePooling.Mean, DropPath = 0, RandomErasing = 0, Mixup = 0, Cutmix = 0, RandAugmentMagnitude = 0, LoaderThreads = 1,
        Crop = new() { MinScale = 0.8 },
    };

    private IDataView Keyed()
    {
        var data = photos.Load(ml);
        return ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
    }

    [Fact]
    public void It_learns_keeps_the_best_epoch_and_saves()
    {
        var data = Keyed();
        using var model = ml.MulticlassClassification.Trainers.FineTune(encoder, Quick()).Fit(data);
        var scored = model.Transform(data);
        double accuracy = ml.MulticlassClassification.Evaluate(scored).MicroAccuracy;
        Assert.True(accuracy > 0.8, $"{accuracy}; {model.Report}");
        var report = model.Report;
        Assert.Equal(report.Epochs.Max(e => e.ValidationAccuracy), report.Epochs[report.BestEpoch - 1].ValidationAccuracy);
        Assert.NotSame(encoder, model.Encoder);

        string path = Path.Combine(folder.Path, "tuned.zip");
        ml.Model.Save(model, data.Schema, path);
        var again = ml.Model.Load(path, out _).Transform(data).GetColumn<float[]>("Score").ToArray();
        Assert.All(Pairs.Of(scored.GetColumn<float[]>("Score"), again), s => Assert.All(Pairs.Of(s.First, s.Second), v => Assert.Equal(v.First, v.Second, 1e-3f)));
    }

    [Theory]
    [InlineData(18, 300)]
    [InlineData(1_800, 166)]
    [InlineData(100_000, 50)]
    public void A_small_encoder_sees_few_labels_many_times(int labels, int epochs)
    {
        Assert.Equal(epochs, FineTuneOptions.SmallEncoder(labels).Epochs);
        Assert.Equal(epochs, MaskBias.MLNet.FineTuning.SemiSupervised.SemiSupervisedOptions.SmallEncoder(labels).Supervised.Epochs);
        Assert.Throws<ArgumentOutOfRangeException>(() => FineTuneOptions.SmallEncoder(0));
    }

    [Fact]
    public void Photos_that_are_stored_turned_and_labels_that_are_left_out_are_warned_of()
    {
        byte[] jpeg = SampleImages.Shape(0, 1, 48, 40, SkiaSharp.SKEncodedImageFormat.Jpeg);
        photos.Rows.Add(new() { ImagePath = folder.Write("turned.jpg", SampleImages.JpegWithOrientation(jpeg, 6)), Label = SampleImages.Classes[0] });
        var options = Quick();
        (options.Epochs, options.LabelFraction) = (1, 0.99);
        var logger = new LogLines();
        options.Logger = logger;
        using var all = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed());
        Assert.Contains(all.Report.Run.Warnings, w => w.StartsWith("1 of 25 images are stored turned.", StringComparison.Ordinal));
        Assert.Contains(logger.Lines, line => line.Text.Contains("1 of 25 images are stored turned.", StringComparison.Ordinal));
        options.LabelFraction = 0.5;
        using var half = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed());
        Assert.Contains("12 of 25 labelled images are learned from: LabelFraction is 0.5; with 1 all of them are.", half.Report.Run.Warnings);
    }

    [Fact]
    public void Rows_without_a_class_count_in_the_number_of_a_row()
    {
        photos.Rows[0].Label = "";
        photos.Rows[5].ImagePath = Path.Combine(folder.Path, "lost.png");
        var options = Quick();
        options.OnUnreadableImage = UnreadableTrainingImage.Throw;
        var fault = Assert.Throws<ImageReadException>(() => ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed()));
        Assert.StartsWith("Row 5, column 'ImagePath': ", fault.Message);
    }

    [Fact]
    public void The_full_recipe_runs_with_average_odd_batches_other_sizes_and_early_stopping()
    {
        var options = FineTuneOptions.Mae();
        (options.Epochs, options.BatchSize, options.Seed, options.Device, options.EmaMomentum) = (6, 7, 2, ComputeDevice.Cpu, 0.5);
        (options.ValidationFraction, options.Patience, options.ImageSize, options.RandomErasing) = (0.2, 2, 48, 0.5);
        (options.ClipGradient, options.ClassWeighting) = (1, ClassWeighting.Balanced);
        using var model = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed());
        var report = model.Report;
        Assert.Equal((48, FeaturePooling.NormalizedMean), (model.Encoder.ImageSize, model.Encoder.Model.Options.Pooling));
        Assert.True(report.Epochs.Count <= 6 && (report.Epochs.Count == 6 || report.Epochs.Count - report.BestEpoch == 2));
        Assert.All(report.Run.Losses, l => Assert.True(double.IsFinite(l)));
        Assert.Equal(1, report.WarmupSteps);                    // a tenth of 6 epochs of 2 steps, rounded down
        Assert.Contains("EmaMomentum is 0.16667, not 0.5: the average looks back over at most 10% of 12 steps.", report.Run.Adjustments);
    }

    [Fact]
    public void A_guided_encoder_is_tuned_without_masks_and_stays_as_it_is()
    {
        using var guided = TinyEncoders.MaskGuided();
        var before = guided.Model.state_dict().ToDictionary(w => w.Key, w => w.Value.sum().ToDouble());
        var options = Quick();
        options.Epochs = 1;
        using var model = ml.MulticlassClassification.Trainers.FineTune(guided, options).Fit(Keyed());
        Assert.False(model.Encoder.Model.IsMaskGuided);
        Assert.Equal(before, guided.Model.state_dict().ToDictionary(w => w.Key, w => w.Value.sum().ToDouble()));
    }

    [Theory]
    [InlineData(0, " or set ClipGradient.")]
    [InlineData(1, " or lower ClipGradient.")]
    public void A_run_that_diverges_says_what_clipping_can_do(double clip, string advice)
    {
        var options = Quick();
        (options.LearningRate, options.WeightDecay, options.WarmupEpochs, options.LayerDecay, options.ClipGradient) = (1000, 10, 0, 1, clip);
        var error = Assert.Throws<TrainingDivergedException>(() => ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed()));
        Assert.StartsWith("Fine-tuning diverged: the ", error.Message);
        Assert.EndsWith(advice, error.Message);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(9, 2)]
    public void Blocks_below_the_trainable_ones_stay_as_they_are(int trainable, int trained)
    {
        var options = Quick();
        (options.Epochs, options.TrainableBlocks, options.DropPath, options.ClipGradient, options.EmaMomentum) = (2, trainable, 0.5, 1, 0.1);
        using var model = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed());
        var (before, after) = (encoder.Model.state_dict(), model.Encoder.Model.state_dict());
        var changed = before.Keys.Where(name => !before[name].eq(after[name]).all().ToBoolean()).ToList();
        Assert.Contains("norm.weight", changed);
        Assert.Equal(trained, changed.Where(n => n.StartsWith("blocks.", StringComparison.Ordinal)).Select(n => n[..8]).Distinct().Count());
        Assert.DoesNotContain("patch_embed.proj.weight", changed);
        Assert.DoesNotContain("cls_token", changed);
    }

    [Fact]
    public void Few_labels_are_drawn_by_class_written_down_and_read_again()
    {
        string path = Path.Combine(folder.Path, "few.txt");
        var options = Quick();
        (options.Epochs, options.LabelFraction, options.LabelSubsetPath, options.ValidationFraction) = (1, 0.25, path, 0);
        using (var model = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed())) Assert.Equal(6, model.Report.Run.Images);
        var rows = LabelSubset.Read(path);
        Assert.All(rows.GroupBy(r => photos.Rows[(int)r].Label), g => Assert.Equal(2, g.Count()));
        options.Seed = 99;
        using (var model = ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed())) Assert.Equal(6, model.Report.Run.Images);
        Assert.Equal(rows, LabelSubset.Read(path));

        LabelSubset.Write(path, [0, 1, 2, 500]);
        Assert.Contains("names row 500, which is not among the 24 rows", Error(() => ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed())));
        File.WriteAllText(path, "1\nx\n");
        Assert.Contains("line 2: 'x' is no row number", Error(() => LabelSubset.Read(path)));
        File.WriteAllText(path, "1\n1\n");
        Assert.Contains("row 1 is there twice", Error(() => LabelSubset.Read(path)));
    }

    [Fact]
    public void Splits_are_stratified_seeded_and_empty_no_class()
    {
        int[] classes = [.. Enumerable.Repeat(0, 100), .. Enumerable.Repeat(1, 10), 2, -1];
        var (kept, held) = StratifiedSplit.HoldOut(classes, 0.1, 1);
        Assert.Equal((90, 9, 1), (kept.Count(i => classes[i] == 0), kept.Count(i => classes[i] == 1), kept.Count(i => classes[i] == 2)));
        Assert.Equal(11, held.Length);
        Assert.Equal(held, StratifiedSplit.HoldOut(classes, 0.1, 1).HeldOut);
        Assert.NotEqual(held, StratifiedSplit.HoldOut(classes, 0.1, 2).HeldOut);
        int[] few = StratifiedSplit.Few(classes, 0.01, 1);
        Assert.Equal([0, 1, 2], few.Select(i => classes[i]));
    }

    [Fact]
    public void Every_operation_keeps_pixels_in_range_and_some_are_known()
    {
        using var scope = NewDisposeScope();
        var pixels = (rand(2, 3, 16, 16) * 255).round();
        for (int i = 0; i < RandAugment.Count; i++)
        {
            var changed = RandAugment.Operation(i, pixels, [0.9f, -0.9f]);
            Assert.Equal(pixels.shape, changed.shape);
            Assert.True(changed.min().ToSingle() >= -0.01 && changed.max().ToSingle() <= 255.01, $"operation {i}");
        }
        Near.Equal(255 - pixels, RandAugment.Operation(2, pixels, [1, 1]), 0, "inverted");
        Near.Equal(pixels, RandAugment.Operation(3, pixels, [0, 0]), 1e-3, "turned by nothing");
        Near.Equal(pixels * 0.1, RandAugment.Operation(9, pixels, [-1, -1]), 1e-3, "darkened to a tenth");
        var first = RandAugment.Apply(pixels, 9, 0.5, new Random(1));
        Near.Equal(first, RandAugment.Apply(pixels, 9, 0.5, new Random(1)), 0, "the same seed");
    }

    [Fact]
    public void Erasing_changes_one_rectangle_of_the_images_drawn()
    {
        using var scope = NewDisposeScope();
        var images = zeros(20, 3, 32, 32);
        RandomErasing.Apply(images, 0.5, new Random(3));
        double[] shares = images.ne(0).all(1).to_type(ScalarType.Float64).mean([1, 2]).data<double>().ToArray();
        Assert.Contains(0.0, shares);
        Assert.All(shares.Where(s => s > 0), s => Assert.InRange(s, 0.015, 0.36));
        Assert.InRange(shares.Count(s => s > 0), 4, 16);
    }

    // Supplement, Tables 5 and 6; Semi-ViT's published recipes
    [Fact]
    public void Presets_are_the_tables()
    {
        var dino = FineTuneOptions.Dino();
        Assert.Equal((1e-4, 0.9, 0.999, 0.05, 0.65, 256), (dino.LearningRate, dino.Beta1, dino.Beta2, dino.WeightDecay, dino.LayerDecay, dino.BatchSize));
        Assert.Equal((5, 100, 9.0, 0.5, 0.1, 0.8, 1.0), (dino.WarmupEpochs, dino.Epochs, dino.RandAugmentMagnitude, dino.RandAugmentDeviation, dino.LabelSmoothing, dino.Mixup, dino.Cutmix));
        Assert.Equal((0.1, 0.25), (dino.DropPath, dino.RandomErasing));
        var mae = FineTuneOptions.Mae();
        Assert.Equal((1e-3, 0.9, 0.95, 0.05, 0.75, 1024), (mae.LearningRate, mae.Beta1, mae.Beta2, mae.WeightDecay, mae.LayerDecay, mae.BatchSize));
        Assert.Equal((5, 100, 9.0, 0.5, 0.1, 0.8, 1.0), (mae.WarmupEpochs, mae.Epochs, mae.RandAugmentMagnitude, mae.RandAugmentDeviation, mae.LabelSmoothing, mae.Mixup, mae.Cutmix));
        Assert.Equal((0.1, 0.0), (mae.DropPath, mae.RandomErasing));
        var one = FineTuneOptions.FewShot(0.01);
        Assert.Equal((0.01, 5e-5, 0.65, 0.05, 100), (one.LabelFraction, one.LearningRate, one.LayerDecay, one.WeightDecay, one.Epochs));
        Assert.Equal((0.0, 0.0, 0.0, 0.0), (one.Mixup, one.Cutmix, one.RandomErasing, one.DropPath));
        var ten = FineTuneOptions.FewShot(0.1);
        Assert.Equal((0.1, 2.5e-4, 0.65, 0.05, 100), (ten.LabelFraction, ten.LearningRate, ten.LayerDecay, ten.WeightDecay, ten.Epochs));
        Assert.Equal((0.8, 1.0, 0.25, 0.1), (ten.Mixup, ten.Cutmix, ten.RandomErasing, ten.DropPath));
    }

    [Fact]
    public void Mistakes_are_named()
    {
        string message = Error(() => ml.MulticlassClassification.Trainers.FineTune(encoder, new() { Patience = 3, LabelFraction = 0, LayerDecay = 2 }));
        foreach (string part in new[] { "Patience is 3 and ValidationFraction is 0", "LabelFraction is 0", "LayerDecay is 2" }) Assert.Contains(part, message);
        Assert.Contains("ImageSize is 36; it must be a multiple of the encoder's PatchSize 8", Error(() => ml.MulticlassClassification.Trainers.FineTune(encoder, new() { ImageSize = 36 })));
        Assert.Contains("append MapValueToKey", Error(() => ml.MulticlassClassification.Trainers.FineTune(encoder, Quick()).Fit(photos.Load(ml))));
    }

    [Fact]
    public void A_process_with_ML_NET_alone_gives_the_same_classes()
    {
        var files = ml.Data.LoadImageFolder(photos.Path);
        var options = Quick();
        (options.Epochs, options.Pooling) = (3, FeaturePooling.NormalizedMean);
        var model = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.MulticlassClassification.Trainers.FineTune(encoder, options))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(files);
        using var _ = model.OfType<IDisposable>().Single();
        var expected = ml.Data.CreateEnumerable<ShapePhotos.Prediction>(model.Transform(files), false, ignoreMissingColumns: true).ToArray();
        string path = Path.Combine(folder.Path, "tuned.zip");
        ml.Model.Save(model, files.Schema, path);
        foreach (var (own, fresh) in Pairs.Of(expected, FreshProcess.Classify(path, [.. files.GetColumn<string>("ImagePath")])))
        {
            Assert.All(Pairs.Of(own.Score, fresh.Score), s => Assert.Equal(s.First, s.Second, 1e-3f));
            Assert.Equal(own.PredictedLabel, fresh.Label);
        }
    }

    [Fact]
    public void It_cross_validates()
    {
        var options = Quick();
        (options.Epochs, options.ValidationFraction) = (15, 0);
        var folds = ml.MulticlassClassification.CrossValidate(Keyed(), ml.MulticlassClassification.Trainers.FineTune(encoder, options), numberOfFolds: 2, seed: 1);
        Assert.All(folds, fold => Assert.True(fold.Metrics.MicroAccuracy > 0.5, $"{fold.Metrics.MicroAccuracy}"));
        foreach (var fold in folds) ((IDisposable)fold.Model).Dispose();
    }

    [Fact]
    public void Training_gives_everything_back_also_when_it_is_cancelled()
    {
        var options = Quick();
        (options.Epochs, options.EmaMomentum, options.Mixup, options.RandAugmentMagnitude, options.LoaderThreads) = (2, 0.9, 0.8, 5, 2);
        var data = Keyed();
        Train();
        Cancel();
        long before = LiveTensors.OfThisThread;
        Train();
        Cancel();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Train() => ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(data).Dispose();

        void Cancel()
        {
            using var source = new CancellationTokenSource();
            var stopped = options.Copy();
            stopped.CancellationToken = source.Token;
            stopped.Progress = new Each(report =>
            {
                if (report.Step == 1) source.Cancel();
            });
            Assert.ThrowsAny<OperationCanceledException>(() => ml.MulticlassClassification.Trainers.FineTune(encoder, stopped).Fit(data));
        }
    }

    [Fact]
    public void Labels_that_are_missing_or_all_the_same_are_named()
    {
        var rows = photos.Rows;
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(photos.Load(ml));
        Assert.Contains("No row with a usable image has a class in column 'Label'", Error(() => Fit(_ => "")));
        Assert.Contains($"All {rows.Count} labelled rows are of the class '{rows[0].Label}'", Error(() => Fit(_ => rows[0].Label)));

        // A class of one row: it is learned from, and never held out.
        string lone = rows[^1].Label;
        using var model = Fit(row => row.Label != lone || row == rows[^1] ? row.Label : "");
        Assert.Equal((13, 4), (model.Report.Run.Images, model.Report.ValidationRows));

        ImageClassifier Fit(Func<ShapePhotos.Row, string> label)
        {
            var options = Quick();
            options.Epochs = 1;
            var data = ml.Data.LoadFromEnumerable(rows.Select(row => new ShapePhotos.Row { ImagePath = row.ImagePath, Encoded = row.Encoded, Label = label(row) }));
            return ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(keys.Transform(data));
        }
    }

    private static string Error(Action act) => Assert.ThrowsAny<Exception>(act).ToString();

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
        folder.Dispose();
    }
}
