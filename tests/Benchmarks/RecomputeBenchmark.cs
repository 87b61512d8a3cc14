using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Forward and backward pass of ViT-B/16 at 224 with and without recomputed blocks: memory beyond weights and gradients, and time.</summary>
internal static class RecomputeBenchmark
{
    private const int Batch = 8, Rounds = 3;
    private const double MostMemory = 0.5, MostTime = 1.35;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        using var model = new VisionTransformer(VitOptions.Base(), seed: 1);
        model.train();
        using var images = randn(Batch, 3, 224, 224);
        using var one = images[..1].clone();
        Pass(one, false);                                   // gradients are there from now on
        double before = Memory("VmRSS:"), recomputed = Peak(true), kept = Peak(false);      // the larger one last: what is freed may stay mapped
        double[] seconds = Timing.Medians(Rounds, () => Step(false), () => Step(true));
        output.WriteLine(FormattableString.Invariant(
            $"  batch {Batch}: {kept:0} MB kept, {recomputed:0} MB recomputed: {recomputed / kept:0.00} of it (at most {MostMemory} wanted); ")
            + FormattableString.Invariant($"{seconds[0]:0.00} s and {seconds[1]:0.00} s: {seconds[1] / seconds[0]:0.00} of it (at most {MostTime} wanted)"));

        void Step(bool recompute) => Pass(images, recompute);

        void Pass(Tensor batch, bool recompute)
        {
            using var scope = NewDisposeScope();
            model.RecomputesBlocks = recompute;
            model.forward(batch).square().mean().backward();
            RecomputedBlock.ThrowFault();
        }

        double Peak(bool recompute)
        {
            File.WriteAllText("/proc/self/clear_refs", "5");            // the peak starts anew
            Step(recompute);
            return Memory("VmHWM:") - before;
        }
    }

    // In MB.
    private static double Memory(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line[name.Length..^2].Trim(), System.Globalization.CultureInfo.InvariantCulture) / 1024;
    }
}
