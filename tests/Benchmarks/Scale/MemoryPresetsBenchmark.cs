using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Scale;

/// <summary>
/// Memory of a training step of each preset, float32: what there is of it once (weights, gradients, moments, teacher) and what each image adds,
/// from two batch sizes. A process of its own for each, which gives memory back at once, so that what it has is what it needs.
/// </summary>
internal static class MemoryPresetsBenchmark
{
    public const string ChildName = "memory-preset";

    private const double Megabyte = 1 << 20, Gigabyte = 1 << 30;
    private const int Device = 24;

    public static void Run(TextWriter output)
    {
        output.WriteLine($"  preset: once, an image; with RecomputeBlocks an image, of it; images at once in {Device} GB without and with");
        foreach (var preset in MemoryPreset.All)
        {
            var (once, image) = Ask(preset.Name, recompute: false);
            var (_, again) = Ask(preset.Name, recompute: true);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {preset.Name}: {once / Megabyte:0} MB, {image / Megabyte:0} MB; {again / Megabyte:0} MB, {again / image:0.00}; {Fit(once, image)} and {Fit(once, again)}"));
        }
    }

    /// <summary>Measures one; writes bytes that there are once, and of an image.</summary>
    public static int Measure(string name, string recompute)
    {
        TorchRuntime.EnsureLoaded();
        WarmUp();
        double before = ProcessMemory.Now;
        var preset = MemoryPreset.All.Single(p => p.Name == name);
        using var training = preset.Create(bool.Parse(recompute));
        var plan = new TrainingPlan
        {
            Phase = name, Epochs = 1, StepsPerEpoch = 10, BatchSize = 1, LearningRate = new(1e-5, 1e-6, 10), WeightDecay = new(0.04, 0.4, 10),
        };
        using var loop = new TrainingLoop<ViewBatch>(plan, training.Method);
        using (var first = training.Batch(1)) loop.Step(first, new(1, 1));
        Pass(1);                                        // moments and gradients are there from now on, at whatever point the peak comes
        double few = Pass(preset.Images), many = Pass(3 * preset.Images), image = (many - few) / (2 * preset.Images);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{few - before - preset.Images * image:0} {image:0}"));
        return 0;

        double Pass(int images)
        {
            using var scope = NewDisposeScope();
            ProcessMemory.ForgetPeak();
            using var batch = training.Batch(images);
            training.Method.Backward(training.Method.Loss(batch, new(1, 1)), 1);
            return ProcessMemory.Peak;
        }
    }

    private static int Fit(double once, double image) => (int)((Device * Gigabyte - once) / image);

    // Code of libtorch and of .NET is not counted.
    private static void WarmUp()
    {
        using var small = MemoryPreset.Small(recompute: true);
        using var batch = small.Batch(1);
        using var scope = NewDisposeScope();
        small.Method.Backward(small.Method.Loss(batch, new(1, 1)), 1);
    }

    private static (double Once, double Image) Ask(string name, bool recompute)
    {
        var start = new ProcessStartInfo("dotnet", [Assembly.GetExecutingAssembly().Location, ChildName, name, recompute.ToString()]) { RedirectStandardOutput = true };
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = start.Environment["MALLOC_TRIM_THRESHOLD_"] = "65536";
        using var child = Process.Start(start)!;
        string[] numbers = child.StandardOutput.ReadToEnd().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        child.WaitForExit();
        return (double.Parse(numbers[^2], CultureInfo.InvariantCulture), double.Parse(numbers[^1], CultureInfo.InvariantCulture));
    }
}
