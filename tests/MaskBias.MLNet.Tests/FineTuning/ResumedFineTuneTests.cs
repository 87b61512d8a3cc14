using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.FineTuning;

/// <summary>A fine-tuning that is interrupted and resumed is the one that was not, to the bit.</summary>
[Collection(nameof(LiveTensors))]
public sealed class ResumedFineTuneTests : IDisposable
{
    private const int Epochs = 4, StepsPerEpoch = 3;

    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 8);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly TempFolder folder = new();

    // Everything that has a state: an average, the best epoch, stochastic depth, and what is drawn anew in every step.
    private static FineTuneOptions Options() => new()
    {
        Epochs = Epochs, BatchSize = 6, LearningRate = 0.03, LayerDecay = 0.9, Seed = 2, ValidationFraction = 0.2, Device = ComputeDevice.Cpu,
        Pooling = FeaturePooling.Mean, DropPath = 0.3, EmaMomentum = 0.5, LoaderThreads = 1,
    };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(11)]
    public void Cancelled_after_any_step_it_goes_on_bit_for_bit(int steps)
    {
        using var whole = Fit(Options());
        Assert.Equal(StepsPerEpoch, whole.Report.Run.StepsPerEpoch);
        Stop(Options(), steps);
        long first = 0;
        using var resumed = Fit(Resumed(Options(), new Each(p => first = first == 0 ? p.Step : first)));
        Assert.Equal((steps, steps + 1), (resumed.Report.Run.ResumedSteps, first));
        AssertSame(whole, resumed);
    }

    [Fact]
    public void What_a_listener_throws_as_an_epoch_ends_leaves_it_ended()
    {
        using var whole = Fit(Options());
        var broken = Kept(Options());
        broken.Progress = new Each(p =>
        {
            if (p.Step == StepsPerEpoch) throw new FormatException("the listener's own fault");
        });
        Assert.Throws<FormatException>(() => Fit(broken));
        using var resumed = Fit(Resumed(Options()));
        AssertSame(whole, resumed);
        AssertMetrics(resumed);
    }

    [Fact]
    public void Without_rows_held_out_it_goes_on_too()
    {
        var options = Options();
        (options.ValidationFraction, options.BatchSize) = (0, 8);
        using var whole = Fit(options);
        Stop(options, 5);
        using var resumed = Fit(Resumed(options));
        Assert.Equal((5, Epochs), (resumed.Report.Run.ResumedSteps, resumed.Report.BestEpoch));
        AssertSame(whole, resumed);
        AssertMetrics(resumed);
    }

    [Fact]
    public void A_training_that_ended_or_had_no_hope_left_is_not_gone_on_with()
    {
        var options = Options();
        (options.Epochs, options.Patience, options.LearningRate, options.MinLearningRate) = (20, 2, 1e-30, 0);        // no epoch beats the first
        Stop(options, StepsPerEpoch + 1);
        using var first = Fit(Resumed(options));                            // its patience counts the epoch before
        Assert.Equal((3, 1), (first.Report.Epochs.Count, first.Report.BestEpoch));
        int steps = 0;
        using var second = Fit(Resumed(options, new Each(_ => steps++)));
        Assert.Equal((0, 3 * StepsPerEpoch), (steps, second.Report.Run.ResumedSteps));
        AssertSame(first, second);
    }

    [Fact]
    public void Checkpoints_have_usable_encoders_and_metrics_what_was_measured()
    {
        using var model = Fit(Kept(Options()));
        var record = RunRecord.Read(folder.Path);
        Assert.Equal(("Fine-tuning", 3), (record.Phase, record.Checkpoints.Count));
        using var kept = EncoderCheckpoint.Load(record.Checkpoints[^1].EncoderPath);
        Assert.Equal(model.Encoder.FeatureDim, kept.FeatureDim);
        Assert.Equal(model.Report.Run.Checkpoint, Path.GetDirectoryName(record.Checkpoints[^1].EncoderPath));
        AssertMetrics(model);

        // A checkpoint of a step that the run does not have is refused, whatever wrote it.
        string last = Path.GetDirectoryName(record.Checkpoints[^1].EncoderPath)!, mark = Path.Combine(last, "checkpoint.json");
        File.WriteAllText(mark, File.ReadAllText(mark).Replace("\"Epoch\":4", "\"Epoch\":40", StringComparison.Ordinal));
        Assert.Contains("is of epoch 41 and step 12, which this run does not have", Error(() => Fit(Resumed(Options()))));
    }

    [Fact]
    public void A_damaged_checkpoint_is_passed_over()
    {
        using var whole = Fit(Kept(Options()));
        string last = Path.GetDirectoryName(RunRecord.Read(folder.Path).Checkpoints[^1].EncoderPath)!;
        File.WriteAllBytes(Path.Combine(last, "state.safetensors"), [1, 2, 3]);
        using var resumed = Fit(Resumed(Options()));
        Assert.Equal(3 * StepsPerEpoch, resumed.Report.Run.ResumedSteps);
        AssertSame(whole, resumed);
    }

    [Fact]
    public void A_measure_that_is_no_number_stays_one()
    {
        using var measures = new EpochMeasures(epochs: 3);
        Assert.Null(measures.AtStart);
        measures.Set(0, (double.NaN, 0.5));
        measures.Set(1, null);
        measures.Set(2, (double.NaN, double.NaN));
        Assert.Equal((double.NaN, 0.5), measures.AtStart);
        Assert.Equal([null, (double.NaN, double.NaN)], measures.Ended);
    }

    [Fact]
    public void What_differs_is_named()
    {
        Stop(Options(), 2);
        var other = Options();
        (other.LearningRate, other.Mixup) = (0.02, 0);
        string message = Error(() => Fit(Resumed(other)));
        Assert.Contains("LearningRate was 0.03, now 0.02", message);
        Assert.Contains("Mixup was 0.8, now 0", message);
        Assert.Contains("start anew with WhenUsed = Overwrite.", message);
        Assert.Contains("holds a run already", Error(() => Fit(Kept(Options()))));

        // A run that drew from other streams would go on with other numbers than it began with.
        string run = Path.Combine(folder.Path, "run.json"), described = File.ReadAllText(run);
        File.WriteAllText(run, described.Replace("\"Random streams\": \"2\",", "", StringComparison.Ordinal));
        Assert.Contains("Random streams was not there, now 2", Error(() => Fit(Resumed(Options()))));
        File.WriteAllText(run, described);

        using var guided = TinyEncoders.MaskGuided();
        Assert.Contains("Encoder was ", Error(() => ml.MulticlassClassification.Trainers.FineTune(guided, Resumed(Options())).Fit(Keyed())));
        (photos.Rows[0].Label, photos.Rows[^1].Label) = (photos.Rows[^1].Label, photos.Rows[0].Label);
        Assert.Contains("Classes was ", Error(() => Fit(Resumed(Options()))));
    }

    [Fact]
    public void A_seed_that_was_drawn_is_kept_and_nothing_is_left_in_memory()
    {
        var options = Options();
        options.Seed = null;
        Stop(options, 4);
        using (var first = Fit(Resumed(options))) Assert.Equal(4, first.Report.Run.ResumedSteps);
        long before = LiveTensors.OfThisThread;
        Fit(Resumed(options)).Dispose();
        Assert.Throws<InvalidOperationException>(() => Fit(Kept(options)));
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    private IDataView Keyed()
    {
        var data = photos.Load(ml);
        return ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
    }

    private ImageClassifier Fit(FineTuneOptions options) => ml.MulticlassClassification.Trainers.FineTune(encoder, options).Fit(Keyed());

    private FineTuneOptions Kept(FineTuneOptions options)
    {
        var kept = options.Copy();
        kept.Output.Folder = folder.Path;
        return kept;
    }

    private FineTuneOptions Resumed(FineTuneOptions options, IProgress<TrainingProgress>? progress = null)
    {
        var resumed = Kept(options);
        (resumed.Output.WhenUsed, resumed.Progress) = (ExistingRun.Resume, progress);
        return resumed;
    }

    private void Stop(FineTuneOptions options, int steps)
    {
        using var cancel = new CancellationTokenSource();
        var stopped = Kept(options);
        stopped.Output.CheckpointEpochs = 0;
        stopped.CancellationToken = cancel.Token;
        stopped.Progress = new Each(p =>
        {
            if (p.Step == steps) cancel.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(stopped));
    }

    // A line per step, and the epochs' measures with their last steps.
    private void AssertMetrics(ImageClassifier model)
    {
        var metrics = RunRecord.Read(folder.Path).ReadMetrics().ToList();
        var report = model.Report;
        Assert.Equal(Enumerable.Range(1, report.Run.Losses.Count).Select(step => (long)step), metrics.Select(m => m.Step));
        var ends = metrics.Where(m => m.Step % report.Run.StepsPerEpoch == 0).ToList();
        Assert.Equal(report.Epochs.Select(e => e.TrainingLoss), ends.Select(m => m.Values["training loss"]));
        Assert.Equal(report.Epochs.Select(e => e.ValidationAccuracy),
            ends.Select(m => m.Values.TryGetValue("validation accuracy", out double accuracy) ? accuracy : (double?)null));
    }

    private static void AssertSame(ImageClassifier one, ImageClassifier other)
    {
        Assert.Equal(one.Report.Run.Losses, other.Report.Run.Losses);
        Assert.Equal(one.Report.Epochs, other.Report.Epochs);
        Assert.Equal(one.Report.BestEpoch, other.Report.BestEpoch);
        TinyTraining.AssertSame(TinyTraining.Weights(one.Encoder), TinyTraining.Weights(other.Encoder));
    }

    private static string Error(Action act) => Assert.ThrowsAny<Exception>(act).ToString();

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
        folder.Dispose();
    }
}
