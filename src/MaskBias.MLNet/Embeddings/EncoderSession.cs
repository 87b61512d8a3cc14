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
    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly int size, dimensions;

    public EncoderSession(VisionEncoder encoder, BlockFeatureOptions? blocks)
    {
        size = encoder.ImageSize;
        dimensions = blocks?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim;
        NativeEnvironment.KeepOnnxRuntimePrivate();
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Threads that spin while they wait for work would take the cores from those that decode.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        session = new(OnnxEncoder.Export(encoder, new() { Blocks = blocks }), options);
    }

    /// <summary>Whether an encoder can run here: on the processor, with nothing in its attention that needs masks.</summary>
    public static bool Fits(VisionEncoder encoder) => encoder.Device.type == TorchSharp.DeviceType.CPU && !encoder.Model.IsMaskGuided;

    /// <summary>Computes features of a batch.</summary>
    /// <param name="pixels">Pixels in [0, 255], at least [rows, 3, S, S].</param>
    /// <param name="rows">Images in the batch.</param>
    /// <param name="features">Receives [rows, D].</param>
    public void Embed(float[] pixels, int rows, Span<float> features)
    {
        using var images = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, pixels.AsMemory(0, rows * 3 * size * size), [rows, 3, size, size]);
        using var outputs = session.Run(runOptions, session.InputNames, [images], session.OutputNames);
        outputs[0].GetTensorDataAsSpan<float>()[..(rows * dimensions)].CopyTo(features);
    }

    public void Dispose()
    {
        session.Dispose();
        runOptions.Dispose();
    }
}
