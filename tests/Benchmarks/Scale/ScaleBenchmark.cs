using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Pictures.Plots;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Scale;

/// <summary>
/// How the cost of training grows: a whole Fit with the number of images, and a training pass with tokens, masks and images of a batch. Draws
/// it to MASKBIAS_PLOT, or to scale.png.
/// </summary>
internal static class ScaleBenchmark
{
    private const int Files = 500, Rounds = 3, MaskedSide = 224, StepImages = 20;
    private const double Megabyte = 1 << 20, MostOff = 0.05;

    // Passes over the images: about as many images in each run, but for the largest.
    private static readonly (int Rows, int Epochs)[] Sizes = [(1_000, 20), (10_000, 3), (100_000, 1)];

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        var plot = new ScalePlot
        {
            Images = Images(output),
            Tokens = Passes(output, "tokens", [64, 128, 224, 320, 448], side => side / 16 * (side / 16), side => (side, 0, 4)),
            Masks = Passes(output, "masks", [0, 1, 16, 64, 128, 256], masks => masks, masks => (MaskedSide, masks, 4)),
            Batch = Passes(output, "images of a batch", [1, 2, 4, 8, 16, 32], batch => batch, batch => (96, 0, batch)),
        };
        string path = Environment.GetEnvironmentVariable("MASKBIAS_PLOT") ?? "scale.png";
        File.WriteAllBytes(path, plot.ToPng());
        output.WriteLine($"  drawn to {path}");
    }

    // Seconds of an epoch by the number of images. Files repeat: a row is read, decoded and cut each time.
    private static List<(double X, double Y)> Images(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-scale-").FullName;
        try
        {
            string[] files = SyntheticPhotos.Write(folder, Files, shortest: 48, longest: 64);
            using var pass = new Pass((Side: 64, Masks: 0, Batch: 1));
            Action reference = () =>
            {
                foreach (string file in files.AsSpan(0, StepImages)) ImageDecoder.Decode(File.ReadAllBytes(file), file);
                pass.Run();
            };
            Fit(files, 10_000, 3, new(reference));              // compiled, and warm for as long as a run takes
            var measured = Sizes.Select(s => Measure(files, s.Rows, s.Epochs, reference)).ToList();
            double first = measured[0].Units / measured[0].Rows;
            foreach (var m in measured)
            {
                output.WriteLine(string.Create(Invariant, $"  {m.Rows} images: {m.Seconds:0.00} s an epoch, ")
                    + string.Create(Invariant, $"{m.Units / m.Rows / first:0.000} of the first's time for each image, each by the machine's rate at that time (at most {MostOff} off wanted), ")
                    + string.Create(Invariant, $"{m.Memory / Megabyte:0} MB at most"));
            }
            return [.. measured.Select(m => ((double)m.Rows, m.Seconds))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Rows, double Seconds, double Units, double Memory) Measure(string[] files, int rows, int epochs, Action reference)
    {
        GC.Collect();
        ProcessMemory.ForgetPeak();
        var clock = new StepClock(reference);
        Fit(files, rows, epochs, clock);
        double whole = (double)rows / (rows * epochs - StepImages);         // all steps of an epoch, of those between the first report and the last
        return (rows, clock.Seconds * whole, clock.Units * whole, ProcessMemory.Peak);
    }

    private static void Fit(string[] files, int rows, int epochs, StepClock clock)
    {
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i => new Row { ImagePath = files[i % files.Length] }));
        ml.SelfSupervised().Mae(new MaeOptions
        {
            Encoder = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 1, Heads = 3 }, Decoder = new() { EmbedDim = 12, Depth = 1, Heads = 3 },
            Epochs = epochs, BatchSize = StepImages, Seed = 1, Device = ComputeDevice.Cpu, ImageCacheMegabytes = 0, LoaderThreads = 1, Progress = clock,
        }).Fit(data).Dispose();
    }

    // Milliseconds of an image in a forward and backward pass of a ViT-Ti/16.
    private static List<(double X, double Y)> Passes(
        TextWriter output, string what, int[] values, Func<int, int> place, Func<int, (int Side, int Masks, int Batch)> sizes)
    {
        var passes = values.Select(v => new Pass(sizes(v))).ToArray();
        double[] seconds = Timing.Medians(Rounds, [.. passes.Select(p => (Action)p.Run)]);
        var points = passes.Select((p, i) => (X: (double)place(values[i]), Y: seconds[i] * 1000 / p.Batch)).ToList();
        output.WriteLine($"  {what}: " + string.Join(", ", points.Select(p => string.Create(Invariant, $"{p.X:0} {p.Y:0.0} ms"))) + " an image");
        foreach (var pass in passes) pass.Dispose();
        return points;
    }

    private sealed class Pass : IDisposable
    {
        private readonly VisionTransformer model;
        private readonly Tensor images;
        private readonly Tensor? masks;

        public Pass((int Side, int Masks, int Batch) sizes)
        {
            var options = VitOptions.Tiny(imageSize: sizes.Side);
            if (sizes.Masks > 0) options.MaskBias = new();
            Batch = sizes.Batch;
            model = new(options, seed: 1);
            images = randn(Batch, 3, sizes.Side, sizes.Side);
            masks = sizes.Masks == 0 ? null : rand(Batch, sizes.Masks, options.GridSize * options.GridSize);
        }

        public int Batch { get; }

        public void Run()
        {
            using var scope = NewDisposeScope();
            model.Forward(images, masks).sum().backward();
            foreach (var parameter in model.parameters()) parameter.grad = null;
        }

        public void Dispose()
        {
            model.Dispose();
            images.Dispose();
            masks?.Dispose();
        }
    }

    // What passes between the first report of a run and its last: what a run costs once is left out. A machine is faster one minute than the
    // next, so that now and then a fixed piece of work says how fast it is.
    private sealed class StepClock(Action reference) : IProgress<TrainingProgress>
    {
        private const int Between = 25;
        private double since;
        private long started;

        public double Seconds { get; private set; }

        /// <summary>The same, each part by the seconds that the piece of work took after it.</summary>
        public double Units { get; private set; }

        public void Report(TrainingProgress value)
        {
            if (started != 0) since += Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (value.Step % Between == 0 || value.Step == value.Steps)
            {
                long start = Stopwatch.GetTimestamp();
                reference();
                Seconds += since;
                Units += since / Stopwatch.GetElapsedTime(start).TotalSeconds;
                since = 0;
            }
            started = Stopwatch.GetTimestamp();
        }
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
