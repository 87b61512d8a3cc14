using System.Collections.Concurrent;
using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Training;

/// <summary>Native memory: what training takes, it gives back.</summary>
[Collection(nameof(LiveTensors))]
public sealed class MemoryTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void Two_thousand_steps_leave_no_tensor_behind_and_memory_flat()
    {
        const int steps = 2000, warmUp = 200;
        const long allowed = 30 << 20;
        var options = TinyTraining.Dino().With(o => o.FreezeBiasEpochs = 0);
        var encoder = TinyTraining.Encoder();
        (encoder.MaskBias, encoder.DropPath) = (new(), 0.1);
        using DinoBranch student = TinyTraining.Branch(encoder), teacher = TinyTraining.Branch(encoder);
        using var method = new DinoMethod(options, student, teacher, steps, CPU);
        var plan = new TrainingPlan
        {
            Phase = "DINO", Epochs = 1, StepsPerEpoch = steps, BatchSize = 2, ClipGradient = 3,
            LearningRate = new(1e-3, 1e-6, steps, 10), WeightDecay = new(0.04, 0.4, steps),
        };
        using var batch = TinyTraining.Batch(2, masks: true);
        using var loop = new TrainingLoop<ViewBatch>(plan, method);
        loop.Step(batch, new(1, 0));                     // the optimizer's state comes with the first step
        long tensors = LiveTensors.InProcess(), memory = 0;
        for (int step = 1; step < steps; step++)
        {
            loop.Step(batch, new(1, step));
            Assert.Equal(tensors, Tensor.TotalCount);
            if (step == warmUp) memory = ResidentBytes();
        }
        long growth = ResidentBytes() - memory;
        Assert.True(growth < allowed, $"process memory grew by {growth / 1048576.0:f1} MB in {steps - warmUp} steps");
    }

    [Fact]
    public void Steps_of_MAE_leave_no_tensor_behind()
    {
        const int steps = 200, parts = 2;
        using var method = TinyTraining.MaeMethod(TinyTraining.MaskedMae());
        using var encoder = method.Encoder;
        using var decoder = method.Decoder;
        using var loop = new TrainingLoop<ViewBatch>(MaeMethodTests.Plan(1, parts, steps), method);
        var counts = new List<long>();
        loop.Run(_ => Enumerable.Range(0, steps * parts).Select(i =>
        {
            if (i % parts == 0 && i > 0) counts.Add(i == parts ? LiveTensors.InProcess() : Tensor.TotalCount);
            return MaeMethodTests.Batch(masks: true, seed: i + 1);
        }));
        Assert.Equal(steps - 1, counts.Count);
        Assert.Single(counts.Distinct());
    }

    [Fact]
    public void MAE_and_its_distillation_give_everything_back()
    {
        Run();
        long before = LiveTensors.OfThisThread;
        Run();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Run()
        {
            var data = scenes.LoadWithMasks(ml);
            using var teacher = ml.SelfSupervised().Mae(TinyTraining.MaskedMae()).Fit(data);
            Assert.Equal(2, teacher.Reconstruct(data, count: 2).Count);
            var narrow = new VitOptions { ImageSize = 32, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 };
            using var student = ml.SelfSupervised().Distill(teacher,
                TinyTraining.Distillation().With(o => (o.MaskColumnName, o.Student) = ("Masks", narrow))).Fit(data);
            var failing = TinyTraining.Mae();
            failing.Progress = new Callback(_ => throw new NotSupportedException());
            Assert.Throws<NotSupportedException>(() => ml.SelfSupervised().Mae(failing).Fit(scenes.Load(ml)));
        }
    }

    [Fact]
    public void Estimators_give_everything_back()
    {
        Pretrain();                                      // what libraries keep for themselves, they take the first time
        long before = LiveTensors.OfThisThread;
        Pretrain();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Pretrain()
        {
            var data = scenes.LoadWithMasks(ml);
            using var teacher = ml.SelfSupervised().Dino(TinyTraining.MaskedDino()).Fit(data);
            using var student = ml.SelfSupervised().Distill(teacher,
                TinyTraining.Distillation().With(o => o.MaskColumnName = "Masks")).Fit(data);
            Assert.Equal(SceneFolder.Count, student.Transform(data).Preview(SceneFolder.Count).RowView.Length);
            student.Dispose();                           // twice does no harm
        }
    }

    [Fact]
    public void Between_steps_of_a_whole_run_the_count_stays()
    {
        var counts = new List<long>();
        var options = TinyTraining.MaskedDino().With(o => (o.Epochs, o.FreezeBiasEpochs, o.FreezeLastLayerEpochs) = (8, 0, 0));
        options.Progress = new Callback(_ => counts.Add(counts.Count <= 1 ? LiveTensors.InProcess() : Tensor.TotalCount));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        Assert.Equal(16, counts.Count);
        // Two steps an epoch: after the last there are no batches made ahead.
        var ofStep = counts.Chunk(2).Skip(1).SelectMany(epoch => epoch.Index()).GroupBy(c => c.Index, c => c.Item);
        Assert.All(ofStep, c => Assert.Single(c.Distinct()));
    }

    [Theory]
    [InlineData("Dino")]
    [InlineData("Distill")]
    public void A_cancelled_run_stops_and_leaves_nothing(string estimator)
    {
        using var teacher = TinyTraining.Teacher();
        var data = scenes.Load(ml);
        Cancelled();
        long before = LiveTensors.OfThisThread;
        Assert.Equal(2, Cancelled());
        Assert.Equal(before, LiveTensors.OfThisThread);

        int Cancelled()
        {
            using var source = new CancellationTokenSource();
            int done = 0;
            var progress = new Callback(report =>
            {
                done++;
                if (report.Step == 2) source.Cancel();
            });
            Assert.ThrowsAny<OperationCanceledException>(() =>
            {
                if (estimator == "Dino")
                    ml.SelfSupervised().Dino(TinyTraining.Dino().With(o =>
                        (o.Epochs, o.Progress, o.CancellationToken) = (9, progress, source.Token))).Fit(data);
                else
                    ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o =>
                        (o.Epochs, o.Progress, o.CancellationToken) = (9, progress, source.Token))).Fit(data);
            });
            return done;
        }
    }

    [Fact]
    public void A_run_that_fails_leaves_nothing()
    {
        using var teacher = TinyTraining.Teacher();
        Fail();
        long before = LiveTensors.OfThisThread;
        Fail();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Fail()
        {
            var none = ml.Data.LoadFromEnumerable(Array.Empty<SceneRow>());
            var (dino, distillation) = (TinyTraining.Dino(), TinyTraining.Distillation());
            Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Dino(dino).Fit(none));
            Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Distill(teacher, distillation).Fit(none));
            dino.Progress = distillation.Progress = new Callback(_ => throw new NotSupportedException());
            Assert.Throws<NotSupportedException>(() => ml.SelfSupervised().Dino(dino).Fit(scenes.Load(ml)));
            Assert.Throws<NotSupportedException>(() => ml.SelfSupervised().Distill(teacher, distillation).Fit(scenes.Load(ml)));
        }
    }

    [Fact]
    public void A_file_that_vanishes_during_training_gives_its_place_to_another_or_stops_the_run()
    {
        using var own = new SceneFolder();
        ConcurrentQueue<string> log = [];                  // threads that load images write to it too
        ml.Log += (_, e) => log.Enqueue(e.Message);
        var options = TinyTraining.Dino().With(o => (o.Epochs, o.ImageCacheMegabytes) = (3, 0));
        options.Progress = new Callback(_ => File.Delete(own.Files[4]));
        using (var model = ml.SelfSupervised().Dino(options).Fit(own.Load(ml))) Assert.Equal(6, model.Report.Losses.Count);
        Assert.Contains(log, m => m.Contains(own.Files[4], StringComparison.Ordinal)
            && m.Contains("Another image takes its place", StringComparison.Ordinal));

        options.OnUnreadableImage = UnreadableTrainingImage.Throw;
        options.Progress = new Callback(_ => File.Delete(own.Files[5]));
        Assert.Throws<ImageReadException>(() => ml.SelfSupervised().Dino(options).Fit(own.Load(ml)));
    }

    [Fact]
    public void Encoders_outlive_the_dispose_scope_they_are_made_in_and_leave_nothing()
    {
        long before = LiveTensors.OfThisThread;
        VisionEncoder encoder;
        using (NewDisposeScope()) encoder = TinyTraining.Teacher(maskGuided: true);
        float[] features = new float[24];
        encoder.Embed(new float[3 * 16 * 16], 1, features, [1, 1, 0, 0]);
        using (NewDisposeScope()) Assert.Equal([1, 32], encoder.Head!.forward(zeros(1, 24)).shape);
        encoder.Dispose();
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    // Without what the collector keeps in reserve, which earlier tests decide.
    private static long ResidentBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed class Callback(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
