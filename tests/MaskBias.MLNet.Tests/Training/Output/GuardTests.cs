using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>Runs that go wrong stop, and say where; those that learn nothing are warned of.</summary>
public sealed class GuardTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();

    [Fact]
    public void A_run_that_diverges_names_step_rows_checkpoint_and_leaves_the_batch()
    {
        // Far too sharp a student ends in NaN as soon as the learning rate has moved it.
        var options = TinyTraining.MaskedDino().With(o =>
        {
            (o.Epochs, o.WarmupEpochs, o.LearningRate, o.StudentTemperature) = (20, 0, 1000, 1e-38);
            (o.Output.Folder, o.Output.CheckpointEpochs) = (folder.Path, 1);
        });
        var error = Assert.Throws<TrainingDivergedException>(() => ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml)));
        Assert.Equal(5, error.Rows.Count);
        Assert.All(error.Rows, row => Assert.InRange(row, 0, 9));
        Assert.Contains($"step {error.Step} ", error.Message);
        Assert.Contains("Rows of the batch:", error.Message);
        Assert.Equal(error.Step >= 2, error.Checkpoint is not null);
        if (error.Checkpoint is { } checkpoint) Assert.Contains(checkpoint, error.Message);
        using var batch = SafetensorsFile.Open(Path.Combine(error.ReplayFolder!, "batch.safetensors"));
        Assert.Equal(string.Join(",", error.Rows), batch.Metadata["rows"]);
        Assert.Equal([10L, 3, 16, 16], batch.Entries.Single(e => e.Name == "global.images").Shape);
        Assert.Contains(batch.Entries, e => e.Name == "global.maskTokens");
        Assert.True(File.Exists(Path.Combine(error.ReplayFolder!, "state.safetensors")));
    }

    [Fact]
    public void A_gradient_that_is_not_finite_stops_before_the_update()
    {
        using var method = new SuddenInfinity(atStep: 3);
        var plan = new TrainingPlan
        {
            Phase = "Test", Epochs = 1, StepsPerEpoch = 9, BatchSize = 1, LearningRate = new(0.1, 0.1, 9), WeightDecay = new(0, 0, 9),
        };
        using var loop = new TrainingLoop<NumberedRow>(plan, method);
        var error = Assert.Throws<TrainingDivergedException>(() => loop.Run(_ => Enumerable.Range(0, 9).Select(i => new NumberedRow(i))));
        Assert.Equal((3, 3), (error.Step, loop.Next.Step));
        Assert.Equal([3L], error.Rows);
        Assert.Contains("gradient's norm", error.Message);
        Assert.True(float.IsFinite(method.Weight.ToSingle()));
        Assert.Equal(3, loop.Losses.Count);
    }

    [Fact]
    public void A_step_that_fails_between_its_parts_has_changed_nothing()
    {
        var options = TinyTraining.Dino();
        using DinoBranch student = Branch(), teacher = Branch();
        using var method = new DinoMethod(options, student, teacher, steps: 4, CPU);
        var plan = new TrainingPlan
        {
            Phase = "DINO", Epochs = 1, StepsPerEpoch = 4, AccumulationSteps = 2, BatchSize = 8, LearningRate = new(1e-3, 1e-3, 4), WeightDecay = new(0, 0, 4),
        };
        Dictionary<string, float[]> afterFirst = [];
        var keep = new Each(_ => afterFirst = Values());
        using var loop = new TrainingLoop<ViewBatch>(plan, method) { Progress = keep };
        Assert.Throws<IOException>(() => loop.Run(_ => Parts()));
        Assert.Equal(1, loop.Next.Step);
        Assert.False(loop.IsTorn);
        var now = Values();
        Assert.Contains(now.Keys, name => name.EndsWith("running_mean", StringComparison.Ordinal));
        TinyTraining.AssertSame(afterFirst, now);

        DinoBranch Branch()
        {
            var head = TinyTraining.Head();
            head.UseBatchNorm = true;
            var encoder = TinyTraining.Encoder();
            encoder.DropPath = 0.3;
            return new(new MaskBias.MLNet.Vit.VisionTransformer(encoder, 1), new MaskBias.MLNet.Vit.DinoHead(encoder.EmbedDim, head, 1));
        }

        Dictionary<string, float[]> Values() =>
            ((ITrainingMethod<ViewBatch>)method).State.Select(w => KeyValuePair.Create(w.Key, TinyTraining.Values(w.Value))).ToDictionary();

        static IEnumerable<ViewBatch> Parts()
        {
            for (int part = 0; part < 3; part++) yield return TinyTraining.Batch(4, masks: false, seed: part);
            throw new IOException("the disk is gone");
        }
    }

    [Fact]
    public void Distributions_that_are_not_numbers_are_left_to_the_loop()
    {
        using var scope = NewDisposeScope();
        var monitor = new CollapseMonitor(outDim: 8);
        monitor.Observe(full([4, 8], float.NaN), full([4, 6], float.NaN));
        Assert.Empty(monitor.Metrics);
        Assert.Empty(monitor.TakeWarnings());
    }

    [Fact]
    public void Uniform_distributions_one_prototype_and_flat_features_are_each_warned_of_once()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var monitor = new CollapseMonitor(outDim: 64);
        var varied = randn([16, 24], generator: generator);
        var healthy = softmax(randn([16, 64], generator: generator) * 8, -1);
        monitor.Observe(healthy, varied);
        Assert.Empty(monitor.TakeWarnings());
        Assert.InRange(monitor.Metrics["featureRank"], 8, 16);
        Assert.True(monitor.Metrics["teacherDivergence"] > 1);

        monitor.Observe(full([16, 64], 1f / 64), varied);
        monitor.Observe(full([16, 64], 1f / 64), varied);
        Assert.Contains("TeacherTemperature", Assert.Single(monitor.TakeWarnings()));
        Assert.Equal(Math.Log(64), monitor.Metrics["teacherEntropy"], 4);

        var one = zeros(16, 64);
        one[.., 5] = 1;
        monitor.Observe(one, varied);
        Assert.Contains("same prototype", Assert.Single(monitor.TakeWarnings()));

        monitor.Observe(healthy, ones(16, 24));
        Assert.Contains("rank", Assert.Single(monitor.TakeWarnings()));
        Assert.Empty(monitor.TakeWarnings());
    }

    [Fact]
    public void A_loss_that_stays_at_the_logarithm_of_the_prototypes_is_warned_of()
    {
        var monitor = new CollapseMonitor(outDim: 128);
        for (int i = 0; i < 100; i++) monitor.Observe(Math.Log(128) * (i == 50 ? 0.9 : 1));
        Assert.Empty(monitor.TakeWarnings());
        for (int i = 0; i < 100; i++) monitor.Observe(Math.Log(128));
        Assert.Contains("ln(OutDim)", Assert.Single(monitor.TakeWarnings()));
    }

    [Fact]
    public void A_collapsing_run_says_so_in_its_report()
    {
        // A soft teacher makes all distributions uniform.
        var options = TinyTraining.Dino().With(o => (o.Epochs, o.TeacherTemperature, o.WarmupTeacherTemperature) = (12, 10, 10));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.Load(ml));
        Assert.Contains(model.Report.Warnings, w => w.Contains("uniform", StringComparison.Ordinal));
    }

    private sealed record NumberedRow(long Row) : ITrainingBatch
    {
        public IReadOnlyList<long> SourceRows => [Row];

        public IEnumerable<KeyValuePair<string, Tensor>> Tensors => [];

        public void Dispose()
        {
        }
    }

    // A finite loss whose gradient is infinite: the derivative of √x at 0.
    private sealed class SuddenInfinity(long atStep) : ITrainingMethod<NumberedRow>, IDisposable
    {
        public Parameter Weight { get; } = new(ones(1));

        public IEnumerable<(string Name, Parameter Parameter)> Parameters => [("weight", Weight)];

        public void BeginEpoch(int epoch)
        {
        }

        public Tensor Loss(NumberedRow batch, TrainingPosition position) =>
            position.Step == atStep ? (Weight * 0).sqrt().sum() : (Weight * Weight).sum();

        public void BeforeUpdate(TrainingPosition position)
        {
        }

        public void AfterUpdate(TrainingPosition position)
        {
        }

        public void Dispose() => Weight.Dispose();
    }

    public void Dispose() => folder.Dispose();
}
