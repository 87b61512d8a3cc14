using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>
/// Whether training in bfloat16 learns as training in float32 does: the loss over the same steps. On a processor with a smaller encoder, fewer
/// views and images.
/// </summary>
internal static class Curves
{
    private const int StepsPerEpoch = 20;

    public static int Run(TextWriter output, int steps)
    {
        bool isCuda = torch.cuda_is_available();
        int batch = isCuda ? 64 : 32;
        var (encoder, name) = isCuda ? (VitOptions.Small(imageSize: 96), "ViT-S/16 at 96")
            : (new VitOptions { EmbedDim = 128, Depth = 6, Heads = 4, PatchSize = 8, ImageSize = 64 }, "128 wide, 6 deep, patches of 8 at 64");
        string folder = Directory.CreateTempSubdirectory("maskbias-cuda-").FullName;
        try
        {
            var ml = new MLContext(seed: 1);
            ShapeScenes.Generate(Path.Combine(folder, "scenes"), new() { Size = 96, ImagesPerClass = batch * StepsPerEpoch / 10 });
            var data = ml.Data.LoadImageFolder(Path.Combine(folder, "scenes"));
            Compare($"DINO, {name}", precision => ml.SelfSupervised().Dino(new DinoOptions
            {
                Encoder = encoder, Head = new() { OutDim = isCuda ? 4096 : 512 }, Views = new() { LocalViews = isCuda ? 8 : 2 }, Epochs = steps / StepsPerEpoch, BatchSize = batch,
                Seed = 1, Precision = precision, LoaderThreads = Environment.ProcessorCount,
            }).Fit(data).Report.Losses);
            Compare($"MAE, {name}", precision => ml.SelfSupervised().Mae(new MaeOptions
            {
                Encoder = encoder, Decoder = isCuda ? new() : new() { EmbedDim = 128, Depth = 2, Heads = 4 }, Epochs = steps / StepsPerEpoch, BatchSize = batch, Seed = 1,
                Precision = precision, LoaderThreads = Environment.ProcessorCount,
            }).Fit(data).Report.Losses);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Compare(string what, Func<TrainingPrecision, IReadOnlyList<double>> fit)
        {
            var (full, half) = (fit(TrainingPrecision.Float32), fit(TrainingPrecision.BFloat16));
            output.WriteLine($"{what}, {full.Count} steps; the mean loss of every {StepsPerEpoch}, float32 and bfloat16:");
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
