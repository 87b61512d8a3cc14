using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>What bfloat16 saves on this processor: a training step of an encoder in it against one in float32. Steps of the two take turns.</summary>
internal static class PrecisionBenchmark
{
    private const int Rounds = 7;

    private static readonly (string Name, VitOptions Architecture, int Batch)[] Encoders =
    [
        ("128 wide, 6 deep, patches of 8 at 64", new() { EmbedDim = 128, Depth = 6, Heads = 4, PatchSize = 8, ImageSize = 64 }, 32),
        ("ViT-Ti/8 at 64", VitOptions.Tiny(patchSize: 8, imageSize: 64), 32), ("ViT-S/16 at 96", VitOptions.Small(imageSize: 96), 16),
        ("ViT-S/16 at 224", VitOptions.Small(), 4),
    ];

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        output.WriteLine($"  the processor has instructions for bfloat16: {ComputeDevice.Cpu.HasBFloat16}");
        foreach (var (name, architecture, batch) in Encoders)
        {
            using var model = new VisionTransformer(architecture, seed: 1);
            using var optimizer = new DecoupledAdam(model.named_parameters().Select(p => (p.name, p.parameter)), (0.9, 0.999));
            using var images = rand(batch, 3, architecture.ImageSize, architecture.ImageSize);
            var (single, half, ratio) = Timing.Compare(Rounds, () => Step(null), () => Step(ScalarType.BFloat16));
            output.WriteLine(FormattableString.Invariant($"  {name}: float32 {batch / single:0.0} images/s, bfloat16 {batch / half:0.0}: ")
                + FormattableString.Invariant($"a step takes {ratio:0.00} of float32's"));

            void Step(ScalarType? type)
            {
                using var scope = NewDisposeScope();
                model.ComputeType = type;
                optimizer.Set(1e-4, 0.05);
                model.forward(images).to_type(ScalarType.Float32).sum().backward();
                optimizer.Step();
                foreach (var parameter in model.parameters()) parameter.grad = null;
            }
        }
    }
}
