using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias doctor</c>: what the machine offers, and what to do about what is missing.</summary>
internal static class DoctorCommand
{
    private const long Gibibyte = 1L << 30, LittleMemory = 2 * Gibibyte, LittleDisk = Gibibyte;

    public static Command Create()
    {
        var command = new Command("doctor", "Checks the native libraries, devices, memory and disk, and says what to do about what is missing.");
        var folder = new Option<string>("--folder") { Description = "Where runs will be written.", DefaultValueFactory = _ => Directory.GetCurrentDirectory(), HelpName = "folder" };
        var json = Session.JsonOption();
        command.Add(folder);
        command.Add(json);
        command.SetAction(parsed =>
        {
            bool healthy = true;
            Session.Run(parsed, json, session =>
            {
                var findings = new List<(string, object?)>();
                foreach (var (name, check) in Checks(parsed.GetValue(folder)!))
                {
                    try
                    {
                        findings.Add((name, check()));
                    }
                    catch (Exception e) when (e is not OutOfMemoryException)
                    {
                        healthy = false;
                        findings.Add((name, $"FAILED: {e.Message}"));
                    }
                }
                session.Result([.. findings, ("verdict", healthy ? "ready" : "not ready: see what FAILED")]);
            });
            return healthy ? 0 : 1;
        });
        return command;
    }

    private static IEnumerable<(string Name, Func<string> Check)> Checks(string folder) =>
    [
        ("system", () => $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}"),
        ("processors", () => $"{Environment.ProcessorCount}"),
        ("memory", Memory),
        ("disk", () => Disk(folder)),
        ("libtorch", Libtorch),
        ("CUDA", Cuda),
        ("bfloat16", () => ComputeDevice.Auto.HasBFloat16 ? "the device has instructions for it: trainings use it" : "no instructions: trainings are in float32"),
        ("training step", TrainingStep),
        ("ONNX Runtime", Onnx),
        ("image decoding", Images),
    ];

    private static string Memory()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Size(available) + (available < LittleMemory ? ": little; use a small encoder, small batches (BatchSize) or parts of them (AccumulationSteps)" : "");
    }

    private static string Disk(string folder)
    {
        if (!Directory.Exists(folder)) throw new IOException($"--folder is '{folder}', which is not there.");
        string probe = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllText(probe, "");
        File.Delete(probe);
        long free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        return $"{Size(free)} free in {folder}" + (free < LittleDisk ? ": little; a checkpoint of ViT-S takes 0.8 GiB (KeepCheckpoints)" : "");
    }

    private static string Libtorch()
    {
        TorchRuntime.EnsureLoaded();
        return $"{torch.__version__}, TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, {torch.get_num_threads()} threads";
    }

    private static string Cuda() => torch.cuda_is_available()
        ? $"{torch.cuda.device_count()} devices"
        : "none: training uses the processor. For a GPU, build with -p:TorchBackend=cuda-linux or cuda-windows on a machine with an NVIDIA driver";

    private static string TrainingStep()
    {
        using var scope = torch.NewDisposeScope();
        using var model = new VisionTransformer(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 32, Depth = 1, Heads = 2 }, seed: 1);
        model.forward(torch.zeros(2, 3, 32, 32)).sum().backward();
        return "forward and backward work";
    }

    private static string Onnx()
    {
        string path = Path.Combine(Path.GetTempPath(), $"maskbias-{Path.GetRandomFileName()}.onnx");
        try
        {
            using var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 32, Depth = 1, Heads = 2 }, seed: 1));
            OnnxEncoder.Export(encoder, path);
            return $"{OrtEnv.Instance().GetVersionString()}: an exported encoder loads and runs";
        }
        finally
        {
            foreach (string file in Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*")) File.Delete(file);
        }
    }

    private static string Images()
    {
        byte[] png = MaskBias.MLNet.Masks.MaskPictures.OverlayPng(new(8, 8, new byte[3 * 8 * 8]), MaskBias.MLNet.Masks.MaskSet.FromBitmaps(8, 8, new List<bool[]>()), scale: 1);
        var image = MaskBias.MLNet.Images.ImageDecoder.Decode(png, "a picture");
        return $"works ({image.Width} x {image.Height} pixels read back)";
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gibibyte:0.0} GiB");
}
