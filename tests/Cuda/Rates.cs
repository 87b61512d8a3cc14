using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Benchmarks;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>Images a second of training, beside what the device multiplies matrices at.</summary>
internal static class Rates
{
    private const int Warm = 5, StartUp = 25;

    private static int LoaderThreads => Math.Max(1, Environment.ProcessorCount - 2);

    /// <summary>Measures one method's steps on batches that lie ready, or a whole Fit.</summary>
    /// <param name="output">Receives a line for each figure.</param>
    /// <param name="what">dino, mae or fit.</param>
    /// <param name="steps">Steps of a measurement.</param>
    public static int Run(TextWriter output, string what, int steps)
    {
        var device = torch.device(DeviceType.CUDA, 0);
        double limit = MatrixRate(device);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bf16 matrix product 8192 x 8192 x 8192: {limit / 1e12:0} TFLOP/s"));
        if (what == "fit") Fit(output, steps);
        TrainingPrecision[] all = [TrainingPrecision.BFloat16, TrainingPrecision.TensorFloat32, TrainingPrecision.Float32];
        foreach (var precision in what == "fit" ? [] : all)
        {
            using var setting = new MatrixPrecision(precision, device);
            bool isBrief = precision != TrainingPrecision.BFloat16;
            if (what == "dino")
            {
                const string Name = "DINO ViT-S/16 2x224 + 8x96";
                foreach (int batch in isBrief ? [64] : new[] { 64, 128 })
                    Measure($"{Name}, batch {batch}, {precision}", batch, DinoWork(), () => Dino(batch, masks: 0));
                foreach (int masks in isBrief ? [] : new[] { 16, 64 })
                    Measure($"{Name} with {masks} masks, batch 64, {precision}", 64, DinoWork(), () => Dino(64, masks));
            }
            else
            {
                foreach (int batch in isBrief ? [256] : new[] { 128, 256, 512 })
                    Measure($"MAE ViT-B/16, batch {batch}, {precision}", batch, MaeWork(), () => Mae(batch));
            }

            ReadyMethod Dino(int batch, int masks) => ReadyMethod.Dino(VitOptions.Small(), 65536, batch, 224, 96, precision, device, masks);

            ReadyMethod Mae(int batch) => ReadyMethod.Mae(VitOptions.Base(), batch, precision, device);
        }
        return 0;

        void Measure(string name, int images, double work, Func<ReadyMethod> make)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var method = make();
            for (int i = 0; i < Warm; i++) method.Step();
            cuda.synchronize();
            var clock = Stopwatch.StartNew();
            for (int i = 0; i < steps; i++) method.Step();
            cuda.synchronize();
            double seconds = clock.Elapsed.TotalSeconds / steps;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {seconds * 1000:0.0} ms a step, {images / seconds:0} images/s, "
                + $"{work * images / seconds / limit:0.00} of the matrix rate, {DeviceMemory.Used >> 20} MB of the device held"));
            output.Flush();
        }
    }

    // A whole Fit from JPEG files: decoding, augmentation on the device, guards and reports.
    private static void Fit(TextWriter output, int steps)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-cuda-").FullName;
        try
        {
            const int Batch = 128;
            string[] files = SyntheticPhotos.Write(folder, 256, shortest: 256, longest: 500);
            var ml = new MLContext(seed: 1);
            var rows = Enumerable.Range(0, Batch * (steps + StartUp)).Select(i => new Row { ImagePath = files[i % files.Length] });
            ViewsAlone(output, ml.Data.LoadFromEnumerable(rows), Batch);
            using var busy = new BusyShare();
            var clock = new StepClock { WarmedUp = busy.Begin, Skipped = StartUp };
            ml.SelfSupervised().Dino(new DinoOptions
            {
                Encoder = VitOptions.Small(), Epochs = 1, BatchSize = Batch, Seed = 1, Progress = clock,
                Precision = TrainingPrecision.BFloat16, LoaderThreads = LoaderThreads,
            }).Fit(ml.Data.LoadFromEnumerable(rows)).Dispose();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Fit of DINO ViT-S/16 2x224 + 8x96 from JPEG files, batch {Batch}, BFloat16, {Environment.ProcessorCount} processors: "
                + $"{Batch / clock.Seconds:0} images/s; the device is busy {busy.Mean():0%} of the time (nvidia-smi)"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // What making the views adds to a step, if nothing of it is hidden.
    private static void ViewsAlone(TextWriter output, IDataView rows, int batch)
    {
        var options = new DinoOptions { Encoder = VitOptions.Small(), LoaderThreads = LoaderThreads };
        using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Tiny(), seed: 1));
        encoder.MoveTo(ComputeDevice.Cuda(0));
        var sizes = ViewSizes.For(options.Views, options.Encoder);
        using var store = ImageStore.Load(rows, options, sizes.KeptSide, _ => { });
        var loader = new ViewLoader(store, options, sizes, encoder, batch, parts: 1, seed: 1, _ => { });
        var clock = new Stopwatch();
        int count = 0;
        foreach (var views in loader.Epoch(0, CancellationToken.None))
        {
            views.Dispose();
            cuda.synchronize();
            if (++count == StartUp) clock.Start();              // every file was decoded by then
        }
        double seconds = clock.Elapsed.TotalSeconds / (count - StartUp);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"DINO's views alone, batch {batch}: {seconds * 1000:0.0} ms"));
        output.Flush();
    }

    private static double MatrixRate(Device device)
    {
        const int Side = 8192, Times = 20;
        using var scope = NewDisposeScope();
        var a = randn(Side, Side, device: device).to_type(ScalarType.BFloat16);
        var b = randn(Side, Side, device: device).to_type(ScalarType.BFloat16);
        using var into = matmul(a, b);
        for (int i = 0; i < 3; i++) matmul(a, b).Dispose();
        cuda.synchronize();
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Times; i++) matmul(a, b).Dispose();
        cuda.synchronize();
        return 2.0 * Side * Side * Side * Times / clock.Elapsed.TotalSeconds;
    }

    // Multiplications and additions of one image's step: three forward passes' worth for the student, one for the teacher.
    private static double DinoWork()
    {
        var small = VitOptions.Small();
        double globals = 2 * Encoder(small, 197, 768), locals = 8 * Encoder(small, 37, 768);
        double head = 2.0 * (384 * 2048 + 2048 * 2048 + 2048 * 256 + 256 * 65536);
        return 3 * (globals + locals + 10 * head) + globals + 2 * head;
    }

    private static double MaeWork()
    {
        var decoder = new VitOptions { EmbedDim = 512, Depth = 8, Heads = 16 };
        return 3 * (Encoder(VitOptions.Base(), 50, 768) + 2.0 * 50 * 768 * 512 + Encoder(decoder, 197, 0) + 2.0 * 196 * 512 * 768);
    }

    private static double Encoder(VitOptions o, double tokens, int pixels) =>
        2 * tokens * pixels * o.EmbedDim + o.Depth * (2 * tokens * 12.0 * o.EmbedDim * o.EmbedDim + 4 * tokens * tokens * o.EmbedDim);

    private sealed class StepClock : IProgress<TrainingProgress>
    {
        private readonly List<long> ends = [];

        public required int Skipped { get; init; }

        public required Action WarmedUp { get; init; }

        // Of a step, the first ones left out.
        public double Seconds => Stopwatch.GetElapsedTime(ends[Skipped], ends[^1]).TotalSeconds / (ends.Count - 1 - Skipped);

        public void Report(TrainingProgress value)
        {
            ends.Add(Stopwatch.GetTimestamp());
            if (ends.Count == Skipped + 1) WarmedUp();
        }
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
