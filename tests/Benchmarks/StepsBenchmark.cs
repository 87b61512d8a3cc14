using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training;
using Microsoft.ML;
using TorchSharp;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Ten thousand steps of a whole Fit, with masks, local views, checkpoints and metrics: live tensors and process memory stay flat.</summary>
internal static class StepsBenchmark
{
    private const int ImagesPerClass = 4, Batch = 4, Steps = 10_000, WarmUp = 1_000;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.CreateTempSubdirectory("maskbias-steps-").FullName;
        try
        {
            ShapeScenes.Generate(Path.Combine(folder, "scenes"), new() { Size = 32, ImagesPerClass = ImagesPerClass });
            var ml = new MLContext(1);
            var photos = ml.Data.LoadImageFolder(Path.Combine(folder, "scenes"));
            var masked = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(photos).Transform(photos);
            const int StepsPerEpoch = 10 * ImagesPerClass / Batch;
            var watch = new Watch();
            using var model = ml.SelfSupervised().Dino(new DinoOptions
            {
                MaskColumnName = "Masks", Encoder = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 48, Depth = 2, Heads = 3 },
                Head = new() { OutDim = 64, HiddenDim = 64, BottleneckDim = 32 }, Views = new() { LocalViews = 1, LocalSize = 16 },
                Epochs = Steps / StepsPerEpoch, BatchSize = Batch, Seed = 5, Device = ComputeDevice.Cpu, LoaderThreads = 1, Progress = watch,
                Output = new() { Folder = Path.Combine(folder, "run"), CheckpointEpochs = 100 },
            }).Fit(masked);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {Steps} steps: live tensors {watch.FewestTensors} to {watch.MostTensors} after step {WarmUp}; process memory {watch.FirstMemory >> 20} MB at step {WarmUp}, {watch.LastMemory >> 20} MB at the end"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class Watch : IProgress<TrainingProgress>
    {
        public long FewestTensors { get; private set; } = long.MaxValue;

        public long MostTensors { get; private set; }

        public long FirstMemory { get; private set; }

        public long LastMemory { get; private set; }

        public void Report(TrainingProgress value)
        {
            if (value.Step < WarmUp) return;
            // The unfreezing of the bias adds its optimizer state once, a third into the run.
            FewestTensors = Math.Min(FewestTensors, torch.Tensor.TotalCount);
            MostTensors = Math.Max(MostTensors, torch.Tensor.TotalCount);
            LastMemory = Environment.WorkingSet;
            if (value.Step == WarmUp) FirstMemory = LastMemory;
        }
    }
}
