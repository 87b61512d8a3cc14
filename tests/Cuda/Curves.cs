using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>Whether training in bfloat16 learns as training in float32 does: the loss over the same steps.</summary>
internal static class Curves
{
    private const int Batch = 64, StepsPerEpoch = 20;

    public static int Run(TextWriter output, int steps)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-cuda-").FullName;
        try
        {
            var ml = new MLContext(seed: 1);
            ShapeScenes.Generate(Path.Combine(folder, "scenes"), new() { Size = 96, ImagesPerClass = Batch * StepsPerEpoch / 10 });
            var data = ml.Data.LoadImageFolder(Path.Combine(folder, "scenes"));
            Compare("DINO ViT-S/16 at 96", precision => ml.SelfSupervised().Dino(new DinoOptions
            {
                Encoder = VitOptions.Small(imageSize: 96), Head = new() { OutDim = 4096 }, Epochs = steps / StepsPerEpoch, BatchSize = Batch,
                Seed = 1, Precision = precision, LoaderThreads = Environment.ProcessorCount,
            }).Fit(data).Report.Losses);
            Compare("MAE ViT-S/16 at 96", precision => ml.SelfSupervised().Mae(new MaeOptions
            {
                Encoder = VitOptions.Small(imageSize: 96), Epochs = steps / StepsPerEpoch, BatchSize = Batch, Seed = 1,
                Precision = precision, LoaderThreads = Environment.ProcessorCount,
            }).Fit(data).Report.Losses);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Compare(string name, Func<TrainingPrecision, IReadOnlyList<double>> fit)
        {
            var (full, half) = (fit(TrainingPrecision.Float32), fit(TrainingPrecision.BFloat16));
            output.WriteLine($"{name}, {full.Count} steps; the mean loss of every {StepsPerEpoch}, float32 and bfloat16:");
            double most = 0;
            for (int at = 0; at + StepsPerEpoch <= full.Count; at += StepsPerEpoch)
            {
                double a = full.Skip(at).Take(StepsPerEpoch).Average(), b = half.Skip(at).Take(StepsPerEpoch).Average();
                most = Math.Max(most, Math.Abs(a - b) / a);
                output.Write(string.Create(CultureInfo.InvariantCulture, $" {a:0.0000}/{b:0.0000}"));
            }
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n  at most {most:0.00%} apart (1% allowed)"));
            output.Flush();
        }
    }
}
