using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Floating-point operations a second of ViT-S/16's forward pass as embedding runs it, against the best of plain matrix products.</summary>
internal static class ForwardBenchmark
{
    private const int Rounds = 5;
    private const double LeastShare = 0.8;
    private static readonly int[] BatchSizes = [1, 4, 8, 16], Sides = [512, 1024, 2048];

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        var options = VitOptions.Small();
        using var encoder = new VisionEncoder(new VisionTransformer(options, seed: 1));
        using var session = new EncoderSession(encoder, null);
        int length = 3 * encoder.ImageSize * encoder.ImageSize;
        var pixels = new float[BatchSizes.Max() * length];
        var features = new float[BatchSizes.Max() * encoder.FeatureDim];
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var square = Sides.ToDictionary(s => s, s => randn(s, s));
        var forward = BatchSizes.Select(b => (Action)(() => session.Embed(pixels, b, features))).ToArray();
        var products = Sides.Select(s => (Action)(() => square[s].mm(square[s]).Dispose())).ToArray();
        double[] seconds = Timing.Medians(Rounds, [.. forward, .. products]);
        double[] forwardRates = [.. BatchSizes.Select((b, i) => b * Operations(options) / seconds[i])];
        double productRate = Sides.Select((s, i) => 2.0 * s * s * s / seconds[forward.Length + i]).Max();
        output.WriteLine(FormattableString.Invariant(
            $"  matrix products {productRate / 1e9:0} GFLOP/s at best; forward {forwardRates.Max() / 1e9:0} GFLOP/s at batch {BatchSizes[Array.IndexOf(forwardRates, forwardRates.Max())]}: {forwardRates.Max() / productRate:0.00} of it (at least {LeastShare} wanted)"));
    }

    // Of one image, multiplications and additions apart: the embedding of patches, and in each block the projections, attention and the MLP.
    private static double Operations(VitOptions options)
    {
        double d = options.EmbedDim, n = options.GridSize * options.GridSize + 1.0, p = options.PatchSize;
        double block = 2 * n * d * (3 * d) + 2 * (2 * n * n * d) + 2 * n * d * d + 2 * (2 * n * d * options.HiddenDim);
        return 2 * (n - 1) * (3 * p * p) * d + options.Depth * block;
    }
}
