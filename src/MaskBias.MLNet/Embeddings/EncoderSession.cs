using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MaskBias.MLNet.Embeddings;

/// <summary>
/// A plain encoder on the processor in ONNX Runtime, which takes half to four fifths of libtorch's time there, and gives the numbers that the
/// saved model will. Keeps a copy of the weights as they were when it was made. May be used from several threads at once.
/// </summary>
internal sealed class EncoderSession : IDisposable
{
    // What a run computes between two operations still fits the caches.
    private const int LargestRun = 8;

    /// <summary>What somebody reads who embeds with a transformer that is gone.</summary>
    public const string Disposed = "The transformer that embeds was disposed, by ML.NET's PredictionEngine perhaps, which owns its model unless "
        + "told otherwise: dispose it after everything that reads from it.";

    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly int size, dimensions;
    private readonly Holders holders;           // each run, since ONNX Runtime does not look whether a session was freed

    public EncoderSession(VisionEncoder encoder, BlockFeatureOptions? blocks)
    {
        size = encoder.ImageSize;
        dimensions = blocks?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim;
        NativeEnvironment.KeepOnnxRuntimePrivate();
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        holders = new(Free);
        session = new(OnnxEncoder.Export(encoder, new() { Blocks = blocks }), options);
    }

    /// <summary>Whether an encoder can run here: on the processor, without masks, and no larger than an ONNX model can be.</summary>
    public static bool Fits(VisionEncoder encoder) => encoder.Device.type == TorchSharp.DeviceType.CPU && OnnxEncoder.CanExport(encoder);

    /// <summary>Computes features of a batch.</summary>
    /// <param name="pixels">Pixels in [0, 255], at least [rows, 3, S, S].</param>
    /// <param name="rows">Images in the batch.</param>
    /// <param name="features">Receives [rows, D].</param>
    /// <exception cref="ObjectDisposedException">Its owner was disposed.</exception>
    public void Embed(float[] pixels, int rows, Span<float> features)
    {
        if (!holders.TryHold()) throw new ObjectDisposedException(nameof(ImageEmbeddingTransformer), Disposed);
        try
        {
            Run(pixels, rows, features);
        }
        finally
        {
            holders.Release();
        }
    }

    /// <summary>Frees it once nobody computes.</summary>
    public void Dispose() => holders.Release();

    private void Run(float[] pixels, int rows, Span<float> features)
    {
        for (int done = 0; done < rows; done += LargestRun)
        {
            int count = Math.Min(LargestRun, rows - done), length = 3 * size * size;
            using var images = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance, pixels.AsMemory(done * length, count * length), [count, 3, size, size]);
            using var outputs = session.Run(runOptions, session.InputNames, [images], session.OutputNames);
            outputs[0].GetTensorDataAsSpan<float>()[..(count * dimensions)].CopyTo(features[(done * dimensions)..]);
        }
    }

    private void Free()
    {
        session.Dispose();
        runOptions.Dispose();
    }
}
