using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Native;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// How near Segment Anything's image encoder (ViT-B, 1024 pixels) comes to the rate of plain matrix products on the same machine, and the
/// most
/// memory that the process takes. Linux.
/// </summary>
internal static class SamBenchmark
{
    private const int Rounds = 3;
    private const double LeastShare = 0.6, MostGigabytes = 8;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var options = SamOptions.Base();
        using var model = new SamModel(options);
        Tensor image = rand(1, 3, options.ImageSize, options.ImageSize);
        Tensor tokens = rand(4096, options.MlpDim), weights = rand(options.MlpDim, options.EmbedDim);
        double product = 2.0 * 4096 * options.EmbedDim * options.MlpDim, embedding = Operations(options);
        const int products = 16;
        double[] seconds = Timing.Medians(Rounds, () => model.Embed(image).Dispose(), () =>
        {
            for (int i = 0; i < products; i++) matmul(tokens, weights).Dispose();
        });
        double encoder = embedding / seconds[0], gemm = products * product / seconds[1];
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  an image in {seconds[0]:0.00} s: {embedding / 1e9:0} GFLOP at {encoder / 1e9:0} GFLOP/s, ")
            + string.Create(CultureInfo.InvariantCulture,
                $"matrix products at {gemm / 1e9:0} GFLOP/s: a share of {encoder / gemm:0.00} (at least {LeastShare} wanted)"));
        GenerateBatch(model, output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  the process took at most {PeakMemory() / 1e9:0.00} GB (less than {MostGigabytes} wanted)"));
    }

    // A batch of 64 prompts with every mask kept, on a photograph of three megapixels: the most memory that a batch can take.
    private static void GenerateBatch(SamModel model, TextWriter output)
    {
        const int height = 1536, width = 2048;
        byte[] pixels = new byte[3 * height * width];
        new Random(1).NextBytes(pixels);
        var options = new SamMaskGeneratorOptions
        {
            PointsPerSide = 8, PredictedIouThreshold = 0, StabilityScoreThreshold = 0, BoxNmsThreshold = 1,
        };
        long start = Stopwatch.GetTimestamp();
        int masks = new SamMaskGenerator(model, options).Generate(new RgbImage(height, width, pixels)).Masks.Count;
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  a photograph of {width}x{height} and one batch of 64 prompts, {masks} masks, in {seconds:0.0} s"));
    }

    /// <summary>Multiplications and additions of the encoder's products, without those of padding.</summary>
    private static double Operations(SamOptions options)
    {
        double grid = options.ImageSize / options.PatchSize, tokens = grid * grid, width = options.EmbedDim, prompt = options.PromptDim;
        double windows = Math.Pow(Math.Ceiling(grid / options.WindowSize), 2), windowTokens = options.WindowSize * options.WindowSize;
        int global = options.GlobalAttentionBlocks.Count, windowed = options.Depth - global;
        double linear = options.Depth * tokens * (4 * width * width + 2 * width * options.MlpDim);
        double attention = 2 * width * (global * tokens * tokens + windowed * windows * windowTokens * windowTokens);
        double ends = tokens * (3 * options.PatchSize * options.PatchSize * width + width * prompt + 9 * prompt * prompt);
        return 2 * (linear + attention + ends);
    }

    private static double PeakMemory()
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
