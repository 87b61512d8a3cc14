using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Extensions;

/// <summary>Tiny models on disk: a classifier of shapes, encoders alone, and the photos they were made of.</summary>
public sealed class ServedModels : IDisposable
{
    private readonly TempFolder folder = new();

    public ServedModels()
    {
        using var encoder = TinyEncoders.Plain();
        using var other = TinyEncoders.Plain(seed: 2);
        var ml = new MLContext(1);
        var data = Photos.Load(ml);
        var pipeline = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder)
            .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l2Regularization: 0.01f))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        ml.Model.Save(pipeline.Fit(data), data.Schema, Classifier);
        ml.Model.Save(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(data), data.Schema, Embedder);
        var neighbors = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder))
            .Append(ml.SelfSupervised().NearestNeighbors(k: 3))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        ml.Model.Save(neighbors.Fit(data), data.Schema, NearestNeighbors);
        OnnxEncoder.Export(encoder, Onnx);
        OnnxEncoder.Export(other, OtherOnnx);
        ml.Model.Save(ml.Transforms.CopyColumns("Copy", "Label").Fit(data), data.Schema, WithoutEncoder);
    }

    internal ShapePhotos Photos { get; } = new(perClass: 4);

    public string Classifier => In("classifier.zip");

    /// <summary>A classifier whose nearest neighbours are a second ONNX graph.</summary>
    public string NearestNeighbors => In("neighbors.zip");

    public string Embedder => In("embedder.zip");

    public string Onnx => In("encoder.onnx");

    public string OtherOnnx => In("other.onnx");

    public string WithoutEncoder => In("copy.zip");

    public string In(string name) => Path.Combine(folder.Path, name);

    public void Dispose()
    {
        Photos.Dispose();
        folder.Dispose();
    }
}
