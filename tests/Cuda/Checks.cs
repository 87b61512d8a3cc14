using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>Whether a CUDA device computes what the processor does, and what the tests cannot ask without one.</summary>
internal static class Checks
{
    private const int Size = 64, Steps = 6;
    private static readonly Device Cuda = torch.device(DeviceType.CUDA, 0);

    public static int Run(TextWriter output)
    {
        int failed = 0;
        Check("forward pass with masks, float32", ForwardIsEqual);
        Check("DINO steps with masks, float32 against the processor", () => StepsAreEqual(TrainingPrecision.Float32, 2e-4));
        Check("DINO steps with masks, TensorFloat32", () => StepsAreEqual(TrainingPrecision.TensorFloat32, 5e-3));
        Check("DINO steps with masks, BFloat16", () => StepsAreEqual(TrainingPrecision.BFloat16, 2e-2));
        Check("AdamW of many tensors at once", AdamIsEqual);
        Check("nothing is left on the device after a step", NothingIsLeft);
        Check("Fit with masks from files, float32 against the processor", () => FitIsEqual(Dino, TrainingPrecision.Float32, 0.02));
        Check("the same in BFloat16", () => FitIsEqual(Dino, TrainingPrecision.BFloat16, 0.03));
        Check("Fit of MAE with masks, float32 against the processor", () => FitIsEqual(Mae, TrainingPrecision.Float32, 0.02));
        Check("a run that was stopped goes on as if it had not been", Resumes);
        Check("distillation, fine-tuning and embedding on the device", TheRest);
        output.WriteLine(failed == 0 ? "All checks hold." : $"{failed} checks FAILED.");
        return failed == 0 ? 0 : 1;

        void Check(string name, Func<(bool Holds, string Seen)> check)
        {
            string seen;
            bool holds = false;
            try
            {
                (holds, seen) = check();
            }
            catch (Exception e)
            {
                seen = e.ToString();
            }
            if (!holds) failed++;
            output.WriteLine($"{(holds ? "ok    " : "FAILED")} {name}: {seen}");
            output.Flush();
        }
    }

    private static (bool, string) ForwardIsEqual()
    {
        using var precision = new MatrixPrecision(TrainingPrecision.Float32, Cuda);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var encoder = Encoder();
        encoder.MaskBias = new() { InitialValue = 0.5f };
        using var model = new VisionTransformer(encoder, seed: 1);
        model.eval();
        var (images, masks) = (randn(4, 3, Size, Size), rand(4, 5, 64));
        var expected = model.Forward(images, masks);
        model.to(Cuda);
        return Near(Distance(expected, model.Forward(images.to(Cuda), masks.to(Cuda)).cpu()), 1e-5);
    }

    private static (bool, string) StepsAreEqual(TrainingPrecision precision, double tolerance)
    {
        double[] expected = Losses(CPU, TrainingPrecision.Float32), actual = Losses(Cuda, precision);
        return Near(Relative(expected, actual), tolerance);

        static double[] Losses(Device device, TrainingPrecision precision)
        {
            using var setting = new MatrixPrecision(precision, device);
            using var method = ReadyMethod.Dino(Encoder(), 256, 8, Size, 32, precision, device, masks: 4);
            return [.. Enumerable.Range(0, Steps).Select(_ => method.Step())];
        }
    }

    private static (bool, string) AdamIsEqual()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        long[][] shapes = [[384, 384], [5], [3, 16, 16], [1]];
        var values = shapes.Select(s => randn(s)).ToList();
        var gradients = shapes.Select(s => randn(s)).ToList();
        var (here, there) = (Parameters(CPU), Parameters(Cuda));
        foreach (var optimizer in new[] { new DecoupledAdam(here, (0.9, 0.95)), new DecoupledAdam(there, (0.9, 0.95)) })
        {
            using (optimizer)
            {
                optimizer.Set(0.01, 0.3);
                for (int step = 0; step < 5; step++) optimizer.Step();
            }
        }
        return Near(here.Zip(there).Max(p => Distance(p.First.Parameter, p.Second.Parameter.cpu())), 1e-6);

        List<(string Name, TorchSharp.Modules.Parameter Parameter)> Parameters(Device device)
        {
            var made = new List<(string, TorchSharp.Modules.Parameter)>();
            for (int i = 0; i < shapes.Length; i++)
            {
                var parameter = nn.Parameter(values[i].clone().to(device));
                parameter.grad = gradients[i].to(device);
                made.Add(($"p{i}", parameter));
            }
            return made;
        }
    }

    private static (bool, string) NothingIsLeft()
    {
        using var method = ReadyMethod.Dino(Encoder(), 256, 8, Size, 32, TrainingPrecision.BFloat16, Cuda, masks: 4);
        for (int i = 0; i < 3; i++) method.Step();
        long tensors = DisposeScopeManager.Statistics.ThreadTotalLiveCount, bytes = DeviceMemory.Used;
        for (int i = 0; i < 20; i++) method.Step();
        long more = DisposeScopeManager.Statistics.ThreadTotalLiveCount - tensors, grown = DeviceMemory.Used - bytes;
        return (more == 0 && grown == 0, $"{more} tensors and {grown} bytes more after 20 steps");
    }

    private static (bool, string) FitIsEqual(
        Func<ComputeDevice, TrainingPrecision, string?, IReadOnlyList<double>> fit, TrainingPrecision precision, double tolerance) =>
        Near(Relative(fit(ComputeDevice.Cpu, TrainingPrecision.Float32, null), fit(ComputeDevice.Cuda(), precision, null)), tolerance);

    private static (bool, string) Resumes()
    {
        using var folder = new Folder();
        var whole = Dino(ComputeDevice.Cuda(), TrainingPrecision.BFloat16, null);
        string run = Path.Combine(folder.Path, "run");
        try
        {
            Dino(ComputeDevice.Cuda(), TrainingPrecision.BFloat16, run, stopAfter: 3);
        }
        catch (OperationCanceledException)
        {
            // as asked
        }
        // Sums on a device have no order.
        return Near(Relative(whole, Dino(ComputeDevice.Cuda(), TrainingPrecision.BFloat16, run)), 2e-3);
    }

    private static (bool, string) TheRest()
    {
        using var folder = new Folder();
        var (ml, data) = Scenes(folder.Path);
        using var pretrained = ml.SelfSupervised().Dino(DinoOptions(ComputeDevice.Cuda(), TrainingPrecision.BFloat16)).Fit(data);
        using var student = ml.SelfSupervised().Distill(pretrained.Encoder, new Distillation.DistillationOptions
        {
            MaskColumnName = "Masks", Epochs = 2, BatchSize = 10, Seed = 1, Precision = TrainingPrecision.BFloat16,
        }).Fit(data);
        float[][] there = Features(ml, student, data);
        var options = FineTuning.FineTuneOptions.Dino();
        (options.Epochs, options.BatchSize, options.Seed, options.ValidationFraction) = (2, 10, 1, 0.2);
        options.Precision = TrainingPrecision.BFloat16;
        var labelled = ml.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(data).Transform(data);
        using var classifier = ml.MulticlassClassification.Trainers.FineTune(student.Encoder, options).Fit(labelled);
        var metrics = ml.MulticlassClassification.Evaluate(classifier.Transform(labelled));
        bool finite = there.All(f => f.All(float.IsFinite)) && there.Length == 20;
        return (finite, $"{there.Length} feature vectors, accuracy {metrics.MicroAccuracy:0.00} on what was learned");
    }

    private static float[][] Features(MLContext ml, ITransformer encoder, IDataView data)
    {
        var embedded = encoder.Transform(data);
        string column = embedded.Schema[embedded.Schema.Count - 1].Name;
        return [.. Microsoft.ML.Data.ColumnCursorExtensions.GetColumn<float[]>(embedded, embedded.Schema[column])];
    }

    private static IReadOnlyList<double> Dino(ComputeDevice device, TrainingPrecision precision, string? output) =>
        Dino(device, precision, output, null);

    private static IReadOnlyList<double> Dino(ComputeDevice device, TrainingPrecision precision, string? output, int? stopAfter)
    {
        using var folder = new Folder();
        var (ml, data) = Scenes(folder.Path);
        using var stop = new CancellationTokenSource();
        var options = DinoOptions(device, precision);
        options.CancellationToken = stop.Token;
        if (output is not null) (options.Output.Folder, options.Output.WhenUsed) = (output, Training.Output.ExistingRun.Resume);
        options.Progress = new Stop(stop, stopAfter);
        using var pretrained = ml.SelfSupervised().Dino(options).Fit(data);
        return pretrained.Report.Losses;
    }

    private static DinoOptions DinoOptions(ComputeDevice device, TrainingPrecision precision) => new()
    {
        Encoder = Encoder(), Head = new() { OutDim = 256 }, Epochs = 3, BatchSize = 10, Seed = 1, MaskColumnName = "Masks", Device = device,
        Precision = precision, DropPath = 0.1, FreezeLastLayerEpochs = 0,
    };

    private static IReadOnlyList<double> Mae(ComputeDevice device, TrainingPrecision precision, string? output)
    {
        using var folder = new Folder();
        var (ml, data) = Scenes(folder.Path);
        var options = new MaeOptions
        {
            Encoder = Encoder(), Decoder = new() { EmbedDim = 48, Depth = 2, Heads = 3 }, Epochs = 3, BatchSize = 10, Seed = 1,
            MaskColumnName = "Masks", Device = device, Precision = precision, Output = { Folder = output },
        };
        using var pretrained = ml.SelfSupervised().Mae(options).Fit(data);
        return pretrained.Report.Losses;
    }

    private static VitOptions Encoder() => new() { ImageSize = Size, PatchSize = 8, EmbedDim = 96, Depth = 4, Heads = 3 };

    // 20 scenes, each with a mask of its left third and one of its right half
    private static (MLContext Ml, IDataView Data) Scenes(string folder)
    {
        var ml = new MLContext(seed: 1);
        var files = ShapeScenes.Generate(Path.Combine(folder, "scenes"), new() { Size = Size, ImagesPerClass = 2 });
        byte[] masks = MaskSet.FromBitmaps(Size, Size, [Pixels(x => x < Size / 3), Pixels(x => x >= Size / 2)]).Encode();
        var rows = files.Select(f => new Row { ImagePath = f, Masks = masks, Class = Path.GetFileName(Path.GetDirectoryName(f))! });
        return (ml, ml.Data.LoadFromEnumerable(rows));

        static bool[] Pixels(Func<int, bool> isIn) => [.. Enumerable.Range(0, Size * Size).Select(i => isIn(i % Size))];
    }

    private static double Relative(IReadOnlyList<double> expected, IReadOnlyList<double> actual) =>
        expected.Count == actual.Count ? expected.Zip(actual).Max(p => Math.Abs(p.First - p.Second) / Math.Abs(p.First)) : double.NaN;

    private static double Distance(Tensor expected, Tensor actual) => ((expected - actual).norm() / expected.norm()).ToDouble();

    private static (bool, string) Near(double distance, double tolerance) =>
        (distance <= tolerance, string.Create(CultureInfo.InvariantCulture, $"{distance:0.0e+0} apart, {tolerance:0.0e+0} allowed"));

    private sealed class Stop(CancellationTokenSource source, int? after) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == after) source.Cancel();
        }
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("maskbias-cuda-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public byte[] Masks { get; set; } = [];

        public string Class { get; set; } = "";
    }
}
