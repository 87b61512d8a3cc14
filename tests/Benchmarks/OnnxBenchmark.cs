using System.Globalization;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using MaskBias.MLNet.Weights.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>ONNX Runtime on our graph of ViT-S/16 at 224 against PyTorch's export of the same architecture, and what it makes of both.</summary>
internal static class OnnxBenchmark
{
    private const string Reference = "../shared/fixtures/vits16_pattern.onnx";
    private const int Size = 224;

    public static void Run(TextWriter output)
    {
        if (!File.Exists(Reference))
        {
            output.WriteLine($"  {Reference} is not there: start from the repository's root, beside ../shared.");
            return;
        }
        TorchRuntime.EnsureLoaded();
        using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Small(), seed: 1));
        using var reference = Open(File.ReadAllBytes(Reference), "PyTorch's export", output);
        using var ours = Open(OnnxEncoder.Export(encoder), "ours", output);
        using var dynamic = Open(OnnxEncoder.Export(encoder, new() { DynamicImageSize = true }), "ours, any image size", output);
        using var all = Open(OnnxEncoder.Export(encoder, new()
        {
            Outputs = OnnxOutputs.Features | OnnxOutputs.ClassToken | OnnxOutputs.PatchTokens,
        }), "ours, all tokens", output);
        foreach (int batch in (int[])[1, 8])
        {
            var input = new DenseTensor<float>(Enumerable.Range(0, batch * 3 * Size * Size).Select(i => i * 37 % 256f).ToArray(), [batch, 3, Size, Size]);
            double[] seconds = Timing.Medians(batch == 1 ? 25 : 9, [.. new[] { reference, ours, dynamic, all }.Select(s => (Action)(() => Once(s, input)))]);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  batch {batch}: PyTorch's export {batch / seconds[0]:0.0} images/s; ours in {seconds[1] / seconds[0]:0.00} of its time (at most 1 wanted), "
                + $"for any image size {seconds[2] / seconds[0]:0.00}, with all tokens {seconds[3] / seconds[0]:0.00}"));
        }
    }

    private static void Once(InferenceSession session, DenseTensor<float> input)
    {
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.First(), input)]);
    }

    private static InferenceSession Open(byte[] model, string name, TextWriter output)
    {
        string optimized = Path.GetTempFileName();
        try
        {
            using var options = new SessionOptions { OptimizedModelFilePath = optimized, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            var session = new InferenceSession(model, options);
            var operations = ModelProto.Parser.ParseFrom(File.ReadAllBytes(optimized)).Graph.Node.GroupBy(n => n.OpType).OrderBy(g => g.Key);
            output.WriteLine($"  {name}, optimised: {string.Join(", ", operations.Select(g => $"{g.Count()} {g.Key}"))}");
            return session;
        }
        finally
        {
            File.Delete(optimized);
        }
    }
}
