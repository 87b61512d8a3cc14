using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using Microsoft.ML.OnnxRuntime;
using SkiaSharp;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>A loaded model; it lives until the last request that holds it has ended.</summary>
internal sealed class ServedModel
{
    private const int MaxImageSize = 4096;          // as CheckpointLoadOptions has it

    private readonly InferenceSession session;
    private readonly RunOptions runOptions;
    private readonly ClassifierSteps? classifier;
    private readonly string input, output;
    private readonly Holders holders;

    private ServedModel(InferenceSession session, RunOptions runOptions, string id, ClassifierSteps? classifier, string path)
    {
        (this.session, this.runOptions, Id, this.classifier) = (session, runOptions, id, classifier);
        holders = new(Free);
        (input, int[] inputShape) = Single(session.InputMetadata, 4, path, "input of pixels [batch, 3, S, S]");
        (output, int[] outputShape) = Single(session.OutputMetadata, 2, path, "output of features [batch, D]");
        if (inputShape[1] != 3 || inputShape[2] is < 1 or > MaxImageSize || inputShape[2] != inputShape[3] || outputShape[1] < 1)
        {
            throw new InvalidDataException($"The encoder in '{path}' maps [{string.Join(", ", inputShape)}] to [{string.Join(", ", outputShape)}]; "
                + $"it must map [batch, 3, S, S] to [batch, D] with S and D given, and S at most {MaxImageSize}.");
        }
        if (inputShape[0] > 0)
        {
            throw new InvalidDataException($"The encoder in '{path}' computes {inputShape[0]} images at a time, no more and no fewer; one to serve "
                + "must take any number. Export it without OnnxExportOptions.BatchSize (of the tool: without --batch-size).");
        }
        (ImageSize, Dimensions) = (inputShape[2], outputShape[1]);
    }

    public string Id { get; }

    public int ImageSize { get; }

    public int Dimensions { get; }

    /// <summary>What wrote the graph, as it says itself; "" where it does not.</summary>
    public string Producer => session.ModelMetadata.ProducerName;

    public IReadOnlyList<string> Classes => classifier?.Classes ?? [];

    /// <summary>Loads and tries a model.</summary>
    /// <exception cref="InvalidDataException">The file is no model that can be served.</exception>
    public static ServedModel Load(string path, int? threads)
    {
        NativeEnvironment.KeepOnnxRuntimePrivate();
        byte[] bytes = ModelFile.ReadAll(path);
        var (graph, id, isPipeline) = ModelFile.Read(bytes, path);
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (threads is { } count) options.IntraOpNumThreads = count;
        // Threads that spin while they wait for work would take the cores from those that decode.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        InferenceSession? session = null;
        ClassifierSteps? classifier = null;
        var runOptions = new RunOptions();
        try
        {
            session = new InferenceSession(graph, options);
            classifier = isPipeline ? ClassifierSteps.Load(bytes) : null;
            var model = new ServedModel(session, runOptions, id, classifier, path);
            // A model that cannot run is found now: of two images, since a graph may say that it takes any number and take one alone.
            model.Run(new float[2 * 3 * model.ImageSize * model.ImageSize], rows: 2);
            return model;
        }
        catch (Exception e)
        {
            session?.Dispose();
            classifier?.Dispose();
            runOptions.Dispose();
            if (IsModelsFault(e)) throw new InvalidDataException($"'{path}' cannot be served: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Holds the model for a request; false where it is gone already.</summary>
    public bool TryHold() => holders.TryHold();

    /// <summary>Lets go; the last one frees it.</summary>
    public void Release() => holders.Release();

    private void Free()
    {
        session.Dispose();
        classifier?.Dispose();
        runOptions.Dispose();
        NativeHeap.Trim();
    }

    /// <summary>Resizes an image to what the encoder takes: planar R, G, B, [3, S, S].</summary>
    public void Resize(SKBitmap image, Span<float> pixels) => IsoCropResizer.Resize(image, ImageSize, pixels);

    /// <summary>Computes a batch, [rows, 3, S, S] to a row of features each, and the classes where the model has them.</summary>
    public ServedResult[] Run(float[] pixels, int rows)
    {
        using var images = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, pixels.AsMemory(0, rows * 3 * ImageSize * ImageSize), [rows, 3, ImageSize, ImageSize]);
        using var outputs = session.Run(runOptions, [input], [images], [output]);
        var values = outputs[0].GetTensorDataAsSpan<float>();                        // [rows, D]
        var features = new float[rows][];
        for (int row = 0; row < rows; row++) features[row] = values.Slice(row * Dimensions, Dimensions).ToArray();
        var classes = classifier?.Classify(features);
        return [.. features.Select((f, row) => new ServedResult(Id, f, classes is null ? null : classes[row] with { ModelId = Id }))];
    }

    // What ONNX Runtime, ML.NET and the reading of its steps throw over a model that is damaged or not of the expected kind.
    private static bool IsModelsFault(Exception e) =>
        e is OnnxRuntimeException or FormatException or InvalidOperationException or ArgumentException or OverflowException
            or IndexOutOfRangeException or InvalidCastException;

    private static (string Name, int[] Shape) Single(IReadOnlyDictionary<string, NodeMetadata> nodes, int rank, string path, string what)
    {
        var fitting = nodes.Where(n => n.Value.IsTensor && n.Value.ElementType == typeof(float) && n.Value.Dimensions.Length == rank).ToArray();
        // An encoder may give its class token too: the features come first.
        if (fitting.Length == 0) throw new InvalidDataException($"The ONNX graph in '{path}' has no {what}.");
        return (fitting[0].Key, fitting[0].Value.Dimensions);
    }
}
