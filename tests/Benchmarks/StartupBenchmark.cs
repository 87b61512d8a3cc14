using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>From the start of a process to the first embedding by a saved ViT-S/16.</summary>
internal static class StartupBenchmark
{
    private const int Rounds = 5;
    private const double MostSeconds = 2.5;

    public static void Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-startup-").FullName;
        try
        {
            TorchRuntime.EnsureLoaded();
            string photo = SyntheticPhotos.Write(folder, 1, shortest: 300, longest: 500)[0], model = Path.Combine(folder, "model.zip");
            using (var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Small(), seed: 1)))
            {
                var ml = new MLContext(seed: 1);
                var data = ml.Data.LoadFromEnumerable([new Row { ImagePath = photo }]);
                ml.Model.Save(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(data), data.Schema, model);
            }
            double[] seconds = Timing.Medians(Rounds, () => Start(model, photo));
            output.WriteLine(FormattableString.Invariant(
                $"  the first embedding after {seconds[0]:0.00} s (less than {MostSeconds} wanted), the process's start and end included"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the child does: load, embed one image.</summary>
    public static int Embed(string model, string photo)
    {
        var ml = new MLContext();
        using var engine = ml.Model.CreatePredictionEngine<Row, Embedding>(ml.Model.Load(model, out _));
        return engine.Predict(new() { ImagePath = photo }).Features.Length > 0 ? 0 : 1;
    }

    private static void Start(string model, string photo)
    {
        using var process = Process.Start(Environment.ProcessPath!, [.. Host(), "first-embedding", model, photo]);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"The child ended with {process.ExitCode}.");
    }

    // Under the dotnet command the program is its first argument.
    private static string[] Host() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Embedding
    {
        public float[] Features { get; set; } = [];
    }
}
