using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Images a second of a whole Fit from JPEG files, ViT-S/16 at 96, against a bare loop of the same tensor work whose batches lie ready in memory:
/// what decoding, augmentation, guards and reports cost. Steps of the two take turns.
/// </summary>
internal static class FitBenchmark
{
    private const int Batch = 16, Photos = 160, Classes = 4, Epochs = 3, Size = 96, Local = 48;
    private const double LeastRatio = 0.95;
    private static readonly VitOptions Architecture = VitOptions.Small(imageSize: Size);

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.CreateTempSubdirectory("maskbias-fit-").FullName;
        try
        {
            string[] files = SyntheticPhotos.Write(folder, Photos, shortest: 160, longest: 240);
            var ml = new MLContext(seed: 1);
            var data = ml.Data.LoadFromEnumerable(files.Select((f, i) => new Row { ImagePath = f, Label = (uint)(i % Classes) }));
            Print(output, "DINO", BareDino(), progress => ml.SelfSupervised().Dino(Dino(progress)).Fit(data));
            Print(output, "MAE", BareMae(), progress => ml.SelfSupervised().Mae(Mae(progress)).Fit(data));
            using var teacher = new VisionEncoder(new VisionTransformer(Architecture, 1), new DinoHead(Architecture.EmbedDim, Dino().Head, 1));
            Print(output, "distillation", BareDistillation(),
                progress => ml.SelfSupervised().Distill(teacher, Distillation(progress)).Fit(data));
            Print(output, "fine-tuning", BareFineTuning(),
                progress => ml.MulticlassClassification.Trainers.FineTune(teacher, FineTuning(progress)).Fit(data));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(TextWriter output, string name, Bare bare, Func<IProgress<TrainingProgress>, IDisposable> fit)
    {
        using var _ = bare;
        var clock = new StepClock(bare);
        fit(clock).Dispose();
        var (ready, whole, ratio) = clock.Medians();
        output.WriteLine(FormattableString.Invariant(
            $"  {name}: bare {Batch / ready:0.0} images/s, Fit {Batch / whole:0.0}: {ratio:0.00} of it (at least {LeastRatio} wanted)"));
    }

    private static DinoOptions Dino(IProgress<TrainingProgress>? progress = null) => new()
    {
        Encoder = Architecture, Head = new() { OutDim = 8192 }, Epochs = Epochs, BatchSize = Batch, Seed = 1, FreezeLastLayerEpochs = 0, Progress = progress,
    };

    private static MaeOptions Mae(IProgress<TrainingProgress>? progress = null) =>
        new() { Encoder = Architecture, Epochs = Epochs, BatchSize = Batch, Seed = 1, Progress = progress };

    private static DistillationOptions Distillation(IProgress<TrainingProgress>? progress = null) =>
        new() { Epochs = Epochs, BatchSize = Batch, Seed = 1, Progress = progress };

    private static FineTuneOptions FineTuning(IProgress<TrainingProgress>? progress = null)
    {
        var options = FineTuneOptions.Dino();
        (options.Epochs, options.BatchSize, options.Seed, options.ValidationFraction) = (Epochs, Batch, 1, 0);
        options.Progress = progress;
        return options;
    }

    private static Bare BareDino()
    {
        DinoBranch student = Branch(), teacher = Branch();
        var method = new DinoMethod(Dino(), student, teacher, 1_000_000, CPU);
        return new(method, new DecoupledAdam(method.Parameters, (0.9, 0.999)), Views(locals: 8), student, teacher, method);
    }

    private static Bare BareMae()
    {
        var options = Mae();
        var (encoder, decoder) = (new VisionTransformer(options.Architecture(), 1), new MaeDecoder(options.Architecture(), options.Decoder, 1));
        var method = new MaeMethod(options, encoder, decoder, 1);
        return new(method, new DecoupledAdam(method.Parameters, (0.9, 0.95)), Views(globals: 1), encoder, decoder, method);
    }

    private static Bare BareDistillation()
    {
        DinoBranch student = Branch(), teacher = Branch();
        teacher.Freeze();
        var options = Distillation();
        var method = new DistillationMethod(options, student, teacher);
        return new(method, new DecoupledAdam(method.Parameters, (0.9, 0.999)),
            Views(options.Views.GlobalViews, options.Views.LocalViews), student, teacher, method);
    }

    // Its augmentation is left out: the batch is ready.
    private static Bare BareFineTuning()
    {
        var options = FineTuning();
        (options.RandAugmentMagnitude, options.RandomErasing) = (0, 0);
        var model = new FineTuneModel(new VisionTransformer(Architecture, 1), Classes, CPU, 1);
        var encoder = new VisionEncoder(model.Backbone);
        var method = new FineTuneMethod(options, model, null, encoder, [.. Enumerable.Range(0, Batch).Select(i => i % Classes)], Classes, null, 1);
        return new(method, FineTuneRun.Optimizer(model, options), Views(globals: 1), model);
    }

    private static DinoBranch Branch() => new(new VisionTransformer(Architecture, 1), new DinoHead(Architecture.EmbedDim, Dino().Head, 1));

    private static ViewBatch Views(int globals = 2, int locals = 0) => new(
        new(globals, randn(globals * Batch, 3, Size, Size), null),
        locals == 0 ? null : new(locals, randn(locals * Batch, 3, Local, Local), null)) { Rows = [.. Enumerable.Range(0, Batch)] };

    /// <summary>A method with an optimizer and a batch, and nothing around them.</summary>
    private sealed class Bare(ITrainingMethod<ViewBatch> method, IOptimizer optimizer, ViewBatch batch, params IDisposable[] owned) : IDisposable
    {
        private long steps;

        public double Seconds()
        {
            long start = Stopwatch.GetTimestamp();
            Step(new(1, steps++));
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        public void Dispose()
        {
            foreach (var part in owned.Append(optimizer).Append(batch)) part.Dispose();
        }

        private void Step(TrainingPosition position)
        {
            using var scope = NewDisposeScope();
            if (position.Step == 0) method.BeginEpoch(1);
            optimizer.Set(1e-4, 0.05);
            var ready = batch with
            {
                Global = batch.Global with { Images = batch.Global.Images.alias() },
                Local = batch.Local is { } local ? local with { Images = local.Images.alias() } : null,
            };
            var loss = method.Loss(ready, position);
            _ = loss.ToDouble();
            loss.backward();
            method.BeforeUpdate(position);
            optimizer.Step();
            foreach (var (_, parameter) in method.Parameters) parameter.grad = null;
            method.AfterUpdate(position);
        }
    }

    /// <summary>
    /// Times the steps of a Fit, and after every fourth one of the bare loop: machines are faster one minute than the next, so only neighbours
    /// are compared. What the loader gains meanwhile is a quarter of its work.
    /// </summary>
    private sealed class StepClock(Bare bare) : IProgress<TrainingProgress>
    {
        private const int Group = 4, WarmUp = 2;
        private readonly List<(double Bare, double[] Fit)> groups = [];
        private readonly List<double> fit = [];
        private long started, reports;
        private double bareBefore;

        public void Report(TrainingProgress value)
        {
            if (reports > WarmUp) fit.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            if (reports++ < WarmUp) bareBefore = bare.Seconds();
            else if (fit.Count == Group)
            {
                double after = bare.Seconds();
                groups.Add(((bareBefore + after) / 2, [.. fit]));
                bareBefore = after;
                fit.Clear();
            }
            started = Stopwatch.GetTimestamp();
        }

        public (double Bare, double Fit, double Ratio) Medians() =>
            (Median(g => g.Bare), Median(g => g.Fit.Average()), Median(g => g.Bare / g.Fit.Average()));

        private double Median(Func<(double Bare, double[] Fit), double> of) => Timing.Median([.. groups.Select(of)]);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        [KeyType(Classes)]
        public uint Label { get; set; }
    }
}
