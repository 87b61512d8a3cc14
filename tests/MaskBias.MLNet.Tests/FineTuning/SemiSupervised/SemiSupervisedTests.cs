using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.FineTuning.SemiSupervised;

[Collection(nameof(LiveTensors))]
public sealed class SemiSupervisedTests : IDisposable
{
    private const int LabelledPerClass = 4;

    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 12);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly TempFolder folder = new();
    private readonly ITransformer keys;

    public SemiSupervisedTests() => keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(photos.Load(ml));

    private static SemiSupervisedOptions Quick() => new()
    {
        Epochs = 15, BatchSize = 6, ConfidenceThreshold = 0.5, UnlabelledPerLabelled = 2, RandomErasing = 0,
        Supervised = new()
        {
            Epochs = 40, BatchSize = 12, LearningRate = 0.06, LayerDecay = 0.9, Seed = 2, Device = ComputeDevice.Cpu,
            Pooling = FeaturePooling.Mean, DropPath = 0, RandomErasing = 0, Mixup = 0, Cutmix = 0, RandAugmentMagnitude = 2,
            LoaderThreads = 1, Crop = new() { MinScale = 0.8 },
        },
    };

    private IDataView Keyed() => keys.Transform(photos.Load(ml));

    // Twelve of 36 rows have a class; the others an empty one.
    private IDataView FewKeyed() => keys.Transform(ml.Data.LoadFromEnumerable(photos.Rows.Select((row, i) => new ShapePhotos.Row
    {
        ImagePath = row.ImagePath, Encoded = row.Encoded, Label = i < 3 * LabelledPerClass ? row.Label : "",
    })));

    [Fact]
    public void It_learns_from_both_evaluates_and_saves()
    {
        var lines = new List<TrainingProgress>();
        var options = Quick();
        options.Supervised.Progress = new Callback(lines.Add);
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        var report = model.Report;
        Assert.Equal((12, 24, 6), (report.Run.Images, report.UnlabelledRows, report.Run.BatchSize));
        Assert.Equal(("Semi-supervised", 15 * 2), (report.Run.Phase, report.Run.Losses.Count));
        Assert.Equal(("Fine-tuning", 40), (report.SupervisedStage!.Run.Phase, report.SupervisedStage.Epochs.Count));
        Assert.Contains(lines, l => l.Metrics.TryGetValue("pseudo labels used", out double used) && used > 0.5);

        var data = Keyed();
        var scored = model.Transform(data);
        double accuracy = ml.MulticlassClassification.Evaluate(scored).MicroAccuracy;
        Assert.True(accuracy > 0.85, $"{accuracy}; {report}");
        string path = Path.Combine(folder.Path, "semi.zip");
        ml.Model.Save(model, data.Schema, path);
        var again = ml.Model.Load(path, out _).Transform(data).GetColumn<float[]>("Score").ToArray();
        Same(scored.GetColumn<float[]>("Score"), again, 1e-3f);
    }

    [Fact]
    public void What_is_kept_is_the_teacher_and_the_second_stage_starts_where_the_first_ends()
    {
        var options = Quick();
        (options.Epochs, options.LearningRate) = (1, 1e-12);                    // the second stage changes nothing
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        using var supervised = ml.MulticlassClassification.Trainers.FineTune(encoder, options.Supervised).Fit(FewKeyed());
        Same(Scores(model), Scores(supervised), 1e-4f);

        float[][] Scores(ITransformer classifier) => [.. classifier.Transform(Keyed()).GetColumn<float[]>("Score")];
    }

    [Fact]
    public void Short_runs_odd_numbers_and_few_images_are_adjusted_and_reported()
    {
        var options = SemiSupervisedOptions.Percent1();
        (options.Epochs, options.BatchSize, options.UnlabelledPerLabelled) = (6, 3, 5);
        (options.Supervised.Epochs, options.Supervised.BatchSize, options.Supervised.Device) = (2, 8, ComputeDevice.Cpu);
        (options.Supervised.ValidationFraction, options.Supervised.Patience, options.Supervised.ImageSize) = (0.25, 3, 48);
        options.Supervised.ClassWeighting = ClassWeighting.Balanced;
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        var report = model.Report;
        Assert.Equal((3, 9, 24, 48), (report.ValidationRows, report.Run.Images, report.UnlabelledRows, model.Encoder.ImageSize));
        Assert.Contains("A step has 14 unlabelled images, not 15: they are mixed in pairs.", report.Run.Adjustments);
        Assert.Contains("TeacherMomentum is 0, not 0.9999: the average looks back over at most 10% of 6 steps.", report.Run.Adjustments);
        Assert.All(report.Run.Losses, l => Assert.True(double.IsFinite(l)));
        Assert.All(report.Epochs, e => Assert.NotNull(e.ValidationAccuracy));

        (options.Epochs, options.BatchSize, options.UnlabelledPerLabelled) = (20, 9, 5);
        options.Supervised.Patience = null;
        using var more = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        Assert.Contains("A step has 24 unlabelled images, not 45: there are 24.", more.Report.Run.Adjustments);
        Assert.Contains(more.Report.Run.Adjustments, a => a.StartsWith("TeacherMomentum is 0.5, not 0.9999", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_seed_gives_the_same_losses()
    {
        var options = Quick();
        (options.Epochs, options.RandomErasing, options.Supervised.Epochs) = (3, 0.5, 1);
        (options.Supervised.Mixup, options.Supervised.RandomErasing, options.Supervised.RandAugmentMagnitude) = (0.8, 0.5, 9);
        Assert.Equal(Losses(2), Losses(2));
        Assert.NotEqual(Losses(2), Losses(3));

        IReadOnlyList<double> Losses(int seed)
        {
            options.Supervised.Seed = seed;
            using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
            return model.Report.Run.Losses;
        }
    }

    [Fact]
    public void A_share_of_the_labels_hides_the_others()
    {
        var options = Quick();
        (options.Epochs, options.Supervised.Epochs, options.Supervised.LabelFraction) = (1, 1, 0.25);
        options.Supervised.LabelSubsetPath = Path.Combine(folder.Path, "few.txt");
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(Keyed());
        Assert.Equal((9, 27), (model.Report.Run.Images, model.Report.UnlabelledRows));
        Assert.Equal((9, 9), (model.Report.SupervisedStage!.Run.Images, LabelSubset.Read(options.Supervised.LabelSubsetPath).Count));
    }

    [Fact]
    public void The_same_rows_are_held_out_in_both_stages()
    {
        var options = Quick();
        (options.Epochs, options.LearningRate, options.Supervised.ValidationFraction) = (1, 1e-12, 0.25);
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        var (first, second) = (model.Report.SupervisedStage!, model.Report);
        Assert.Equal((first.ValidationRows, first.Run.Images), (second.ValidationRows, second.Run.Images));
        var kept = first.Epochs[first.BestEpoch - 1];
        Assert.Equal(kept.ValidationAccuracy, second.Epochs[0].ValidationAccuracy);
        Assert.Equal(kept.ValidationLoss!.Value, second.Epochs[0].ValidationLoss!.Value, 1e-4);
    }

    [Fact]
    public void A_second_stage_that_only_harms_leaves_the_first()
    {
        var options = Quick();
        (options.Epochs, options.LearningRate, options.TeacherMomentum) = (3, 500, 0);
        options.Supervised.ValidationFraction = 0.25;
        using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        using var supervised = ml.MulticlassClassification.Trainers.FineTune(encoder, options.Supervised).Fit(FewKeyed());
        Assert.Equal(0, model.Report.BestEpoch);
        Same(model.Transform(Keyed()).GetColumn<float[]>("Score"), [.. supervised.Transform(Keyed()).GetColumn<float[]>("Score")], 1e-4f);
    }

    [Fact]
    public void Training_gives_everything_back_also_when_it_is_cancelled()
    {
        var options = Quick();
        (options.Epochs, options.Supervised.Epochs, options.Supervised.LoaderThreads) = (2, 1, 2);
        Train();
        Cancel();
        long before = LiveTensors.OfThisThread;
        Train();
        Cancel();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Train()
        {
            using var model = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(FewKeyed());
        }

        void Cancel()
        {
            using var source = new CancellationTokenSource();
            var stopped = Quick();
            (stopped.Supervised.Epochs, stopped.Supervised.CancellationToken) = (1, source.Token);
            stopped.Supervised.Progress = new Callback(report =>
            {
                if (report is { Phase: "Semi-supervised", Step: 2 }) source.Cancel();
            });
            Assert.ThrowsAny<OperationCanceledException>(
                () => ml.MulticlassClassification.Trainers.SemiSupervised(encoder, stopped).Fit(FewKeyed()));
        }
    }

    [Theory]
    [InlineData("Fine-tuning", 2, 0)]
    [InlineData("Semi-supervised", 3, 3)]
    [InlineData("Semi-supervised", 6, 6)]
    [InlineData("Semi-supervised", 10, 10)]
    public void Cancelled_in_either_stage_it_goes_on_bit_for_bit(string phase, int step, int ofSecond)
    {
        var options = Quick();
        (options.Epochs, options.BatchSize, options.UnlabelledPerLabelled, options.LearningRate) = (2, 4, 1, 0.5);
        (options.Supervised.Epochs, options.Supervised.BatchSize, options.Supervised.ValidationFraction) = (3, 4, 0.25);
        (options.Supervised.DropPath, options.Supervised.Mixup) = (0.3, 0.8);
        var trainer = ml.MulticlassClassification.Trainers;
        using var whole = trainer.SemiSupervised(encoder, options).Fit(FewKeyed());
        Assert.Equal((6, 2), (whole.Report.Run.StepsPerEpoch, whole.Report.SupervisedStage!.Run.StepsPerEpoch));

        using var source = new CancellationTokenSource();
        var stopped = options.Copy();
        (stopped.Output.Folder, stopped.Output.CheckpointEpochs, stopped.Supervised.CancellationToken) = (folder.Path, 0, source.Token);
        stopped.Supervised.Progress = new Callback(report =>
        {
            if (report.Phase == phase && report.Step == step) source.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => trainer.SemiSupervised(encoder, stopped).Fit(FewKeyed()));

        var again = options.Copy();
        (again.Output.Folder, again.Output.WhenUsed) = (folder.Path, ExistingRun.Resume);
        using var resumed = trainer.SemiSupervised(encoder, again).Fit(FewKeyed());
        Assert.Equal((ofSecond, ofSecond == 0 ? 2 : 6), (resumed.Report.Run.ResumedSteps, resumed.Report.SupervisedStage!.Run.ResumedSteps));
        Assert.Equal(whole.Report.Run.Losses, resumed.Report.Run.Losses);
        Assert.Equal(whole.Report.Epochs, resumed.Report.Epochs);
        Assert.Equal(whole.Report.BestEpoch, resumed.Report.BestEpoch);
        Same(whole.Transform(Keyed()).GetColumn<float[]>("Score"), [.. resumed.Transform(Keyed()).GetColumn<float[]>("Score")], 0);

        // A run that is overwritten is gone from the start of the new one, also where that is stopped in its first stage.
        var (other, cancel) = (again.Copy(), new CancellationTokenSource());
        (other.LearningRate, other.Output.WhenUsed, other.Supervised.CancellationToken) = (0.25, ExistingRun.Overwrite, cancel.Token);
        other.Supervised.Progress = new Callback(_ => cancel.Cancel());
        Assert.ThrowsAny<OperationCanceledException>(() => trainer.SemiSupervised(encoder, other).Fit(FewKeyed()));
        (other.Output.WhenUsed, other.Supervised.CancellationToken, other.Supervised.Progress) = (ExistingRun.Resume, default, null);
        using var anew = trainer.SemiSupervised(encoder, other).Fit(FewKeyed());
        Assert.Equal((0, 1), (anew.Report.Run.ResumedSteps, anew.Report.SupervisedStage!.Run.ResumedSteps));

        again.Output.WhenUsed = ExistingRun.Refuse;
        Assert.Contains($"Output.Folder {folder.Path} holds a run already", Error(() => trainer.SemiSupervised(encoder, again).Fit(FewKeyed())));
        again.Supervised.Output.Folder = "elsewhere";
        Assert.Contains("both stages are kept in Output.Folder", Error(() => trainer.SemiSupervised(encoder, again)));
    }

    // Semi-ViT's published recipes for 1% and 10% of the labels
    [Fact]
    public void Presets_are_the_published_recipes()
    {
        var (one, ten) = (SemiSupervisedOptions.Percent1(), SemiSupervisedOptions.Percent10());
        foreach (var preset in new[] { one, ten })
        {
            Assert.Equal((100, 5, 5.0), (preset.Epochs, preset.UnlabelledPerLabelled, preset.UnlabelledWeight));
            Assert.Equal((0.9999, true), (preset.TeacherMomentum, preset.PseudoMixup));
            var first = preset.Supervised;
            Assert.Equal((1.0, 100, 0.65, 0.05), (first.LabelFraction, first.Epochs, first.LayerDecay, first.WeightDecay));
        }
        Assert.Equal((0.6, 0.5), (one.ConfidenceThreshold, ten.ConfidenceThreshold));
        Assert.Equal((5e-5, 0.0, 0.0, 0.0, 0.0), Recipe(one.Supervised));
        Assert.Equal((2.5e-4, 0.8, 1.0, 0.25, 0.1), Recipe(ten.Supervised));

        static (double, double, double, double, double) Recipe(FineTuneOptions o) =>
            (o.LearningRate, o.Mixup, o.Cutmix, o.RandomErasing, o.DropPath);
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var options = Quick();
        var none = keys.Transform(ml.Data.LoadFromEnumerable(photos.Rows.Select(r => new ShapePhotos.Row { ImagePath = r.ImagePath })));
        Assert.Contains("No row with a usable image has a class in column 'Label'", Error(() => Fit(options, none)));
        string all = Error(() => Fit(options, Keyed()));
        Assert.Contains("Every row with a usable image has a class in column 'Label'", all);
        Assert.Contains("use FineTune, or add rows whose class is missing", all);
        Assert.Contains("append MapValueToKey", Error(() => Fit(options, photos.Load(ml))));

        options = new() { ConfidenceThreshold = 2, TeacherMomentum = 1, Supervised = new() { LayerDecay = 2 } };
        string message = Error(() => ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options));
        Assert.All(["ConfidenceThreshold is 2", "TeacherMomentum is 1", "Supervised.LayerDecay is 2"], part => Assert.Contains(part, message));
        options = Quick();
        options.Supervised.ImageSize = 36;
        Assert.Contains("multiple of the encoder's PatchSize 8", Error(() => Fit(options, FewKeyed())));
    }

    private static void Same(IEnumerable<float[]> expected, IEnumerable<float[]> actual, float tolerance) =>
        Assert.All(Pairs.Of(expected, actual), s => Assert.All(Pairs.Of(s.First, s.Second), v => Assert.Equal(v.First, v.Second, tolerance)));

    private void Fit(SemiSupervisedOptions options, IDataView data) =>
        ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(data);

    private sealed class Callback(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }

    private static string Error(Action act) => Assert.ThrowsAny<Exception>(act).ToString();

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
        folder.Dispose();
    }
}
