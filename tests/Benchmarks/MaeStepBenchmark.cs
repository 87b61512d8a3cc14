using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// What hiding patches saves: a training step of ViT-B/16 at 224 with the published decoder, 0.75 of the patches hidden from the encoder,
/// against the same step with every patch visible.
/// </summary>
internal static class MaeStepBenchmark
{
    private const int Batch = 8, Rounds = 3;
    private const double LargestRatio = 0.55;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        var options = new MaeOptions { Encoder = VitOptions.Base() };
        using var encoder = new VisionTransformer(options.Architecture(), seed: 1);
        using var decoder = new MaeDecoder(options.Architecture(), options.Decoder, seed: 1);
        using var method = new MaeMethod(options, encoder, decoder, seed: 1);
        using var optimizer = new DecoupledAdam(method.Parameters, (0.9, 0.95));
        using var scope = NewDisposeScope();
        int grid = decoder.GridSize;
        var images = rand(Batch, 3, options.Encoder.ImageSize, options.Encoder.ImageSize);
        var masked = new PatchMasker(grid, options.MaskRatio, options.MaskBlockSize).From(rand(Batch, grid * grid));
        var inOrder = arange(grid * grid).expand(Batch, grid * grid);
        var everything = masked with { Visible = inOrder, Restore = inOrder };
        double[] seconds = Timing.Medians(Rounds, () => Step(masked), () => Step(everything));
        output.WriteLine(FormattableString.Invariant(
            $"  masked {Batch / seconds[0]:0.00} images/s, every patch visible {Batch / seconds[1]:0.00} images/s: ")
            + FormattableString.Invariant($"a masked step takes {seconds[0] / seconds[1]:0.00} of it (at most {LargestRatio} wanted)"));

        void Step(PatchMasking masking)
        {
            using var step = NewDisposeScope();
            optimizer.Set(1e-4, 0.05);
            method.Loss(images, null, masking).backward();
            optimizer.Step();
            foreach (var (_, parameter) in method.Parameters) parameter.grad = null;
        }
    }
}
