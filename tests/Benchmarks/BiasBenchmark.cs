using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>What the mask-guided attention bias costs: forward and backward of ViT-S/16 at 224 with 64 masks, against no masks.</summary>
internal static class BiasBenchmark
{
    private const int Batch = 8, Masks = 64, Rounds = 7;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        var options = VitOptions.Small();
        options.MaskBias = new();
        using var model = new VisionTransformer(options, seed: 1);
        using var images = rand(Batch, 3, options.ImageSize, options.ImageSize);
        using var tokens = rand(Batch, Masks, options.GridSize * options.GridSize);
        var (plain, guided, ratio) = Timing.Compare(Rounds, () => Step(null), () => Step(tokens));
        output.WriteLine(FormattableString.Invariant(
            $"  plain {Batch / plain:0.0} images/s, guided {Batch / guided:0.0} images/s: a guided step takes {ratio:0.00} of a plain one's time"));

        void Step(Tensor? maskTokens)
        {
            using var scope = NewDisposeScope();
            model.Forward(images, maskTokens).sum().backward();
            foreach (var parameter in model.parameters()) parameter.grad = null;
        }
    }
}
