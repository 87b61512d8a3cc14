using System.CommandLine;
using System.Diagnostics;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias bench</c>: how many images a second this machine embeds and trains on.</summary>
internal static class BenchCommand
{
    private const double Seconds = 3;

    public static Command Create()
    {
        var command = new ExampleCommand("bench", "Measures images per second of an encoder on this machine: embedding by libtorch and by ONNX Runtime, and a training step.",
            "bench --size small --image-size 224 --batch 16");
        var size = new Option<string>("--size") { Description = "tiny, small or base.", DefaultValueFactory = _ => "small", HelpName = "name" };
        size.AcceptOnlyFromAmong("tiny", "small", "base");
        var image = new Option<int>("--image-size") { Description = "Side of the images in pixels.", DefaultValueFactory = _ => 224 };
        var patch = new Option<int>("--patch-size") { Description = "Side of the patches in pixels.", DefaultValueFactory = _ => 16 };
        var batch = new Option<int>("--batch") { Description = "Images at once.", DefaultValueFactory = _ => 16 };
        var json = Session.JsonOption();
        foreach (Option option in new Option[] { size, image, patch, batch, json }) command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            var (side, count) = (parsed.GetValue(image), parsed.GetValue(batch));
            if (count is < 1 or > 4096) throw new UsageException($"--batch is {count}; it must lie in [1, 4096].");
            var architecture = parsed.GetValue(size) switch
            {
                "tiny" => VitOptions.Tiny(parsed.GetValue(patch), side),
                "base" => VitOptions.Base(parsed.GetValue(patch), side),
                _ => VitOptions.Small(parsed.GetValue(patch), side),
            };
            TorchRuntime.EnsureLoaded();
            using var encoder = new VisionEncoder(UsageException.Checked(() => new VisionTransformer(architecture, seed: 1)));
            var device = cuda_is_available() ? CUDA : CPU;
            encoder.Model.to(device);
            using var images = rand([count, 3, side, side], device: device);
            double embedded = Rate(session.Token, () =>
            {
                using var scope = NewDisposeScope();
                using var inference = no_grad();
                _ = encoder.Model.forward(images).cpu();
            });
            double trained = Rate(session.Token, () =>
            {
                using var scope = NewDisposeScope();
                encoder.Model.forward(images).sum().backward();
                foreach (var parameter in encoder.Model.parameters()) parameter.grad = null;
                _ = encoder.Model.parameters().First().sum().cpu();
            });
            encoder.Model.to(CPU);
            double served = OnnxRate(encoder, count, side, session.Token);
            session.Result(
                ("encoder", $"{parsed.GetValue(size)}, patch {architecture.PatchSize}, {side} pixels, batch {count}"), ("device", device.ToString()),
                ("embedded images per second, libtorch", embedded * count), ("embedded images per second, ONNX Runtime on the processor", served * count),
                ("trained images per second, forward and backward", trained * count));
        }));
        return command;
    }

    private static double OnnxRate(VisionEncoder encoder, int count, int side, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("maskbias-bench-");
        try
        {
            string path = Path.Combine(folder.FullName, "encoder.onnx");
            OnnxEncoder.Export(encoder, path);
            using var session = new InferenceSession(path);
            var input = NamedOnnxValue.CreateFromTensor(session.InputNames[0], new DenseTensor<float>(new float[count * 3 * side * side], [count, 3, side, side]));
            return Rate(cancel, () => session.Run([input]).Dispose());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Calls per second, once warm.
    private static double Rate(CancellationToken cancel, Action step)
    {
        step();
        var clock = Stopwatch.StartNew();
        int calls = 0;
        while (clock.Elapsed.TotalSeconds < Seconds || calls < 2)
        {
            cancel.ThrowIfCancellationRequested();
            step();
            calls++;
        }
        return calls / clock.Elapsed.TotalSeconds;
    }
}
