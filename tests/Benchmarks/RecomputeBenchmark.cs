using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Forward and backward pass of ViT-B/16 at 224 with and without recomputed blocks: memory beyond weights, gradients and images, and time.
/// On CUDA where there is a device, and on the CPU.
/// </summary>
internal static class RecomputeBenchmark
{
    private const int Rounds = 3;
    private const double MostMemory = 0.5, MostTime = 1.35;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        if (cuda.is_available()) Measure(output, CUDA, batch: 64);
        Measure(output, CPU, batch: 4);
    }

    private static void Measure(TextWriter output, Device device, int batch)
    {
        bool isCpu = device.type == DeviceType.CPU;
        using var model = new VisionTransformer(VitOptions.Base(), seed: 1);
        model.to(device);
        model.train();
        using var images = randn(batch, 3, 224, 224, device: device);
        using var one = images[..1].clone();
        Pass(one, false);                                   // gradients are there from now on
        double before = isCpu ? ProcessMemory("VmRSS:") : DeviceMemory();
        double recomputed = Peak(true), kept = Peak(false);      // the larger one last: what is freed may stay mapped
        double[] seconds = Timing.Medians(Rounds, () => Pass(images, false), () => Pass(images, true));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {device.type}, batch {batch}: ")
            + Figure("0 MB", kept, recomputed, MostMemory) + "; " + Figure("0.000 s", seconds[0], seconds[1], MostTime));

        void Pass(Tensor rows, bool recompute)
        {
            using var scope = NewDisposeScope();
            model.RecomputesBlocks = recompute;
            model.forward(rows).pow(2.0.ToScalar()).mean().backward();
            BackwardPass.End();
            if (!isCpu) cuda.synchronize();
        }

        double Peak(bool recompute)
        {
            if (isCpu) File.WriteAllText("/proc/self/clear_refs", "5");            // the peak starts anew
            Pass(images, recompute);
            return (isCpu ? ProcessMemory("VmHWM:") : DeviceMemory()) - before;
        }
    }

    private static string Figure(string format, double kept, double recomputed, double most) => string.Create(CultureInfo.InvariantCulture,
        $"{kept.ToString(format, CultureInfo.InvariantCulture)} kept, {recomputed.ToString(format, CultureInfo.InvariantCulture)} recomputed: {recomputed / kept:0.00} of it (at most {most} wanted)");

    // In MB.
    private static double ProcessMemory(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line[name.Length..^2].Trim(), CultureInfo.InvariantCulture) / 1024;
    }

    // In MB; libtorch keeps what it has once taken, so that this is the most that was needed at once, and what is scattered between.
    private static double DeviceMemory()
    {
        using var process = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=memory.used", "--format=csv,noheader,nounits"])
        {
            RedirectStandardOutput = true,
        })!;
        return double.Parse(process.StandardOutput.ReadToEnd().Split('\n')[0], CultureInfo.InvariantCulture);
    }
}
