using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>Measures how well an encoder's features tell classes apart: classifiers learn on the training images alone.</summary>
internal sealed class EncoderProbe
{
    private readonly MLContext ml;
    private readonly IDataView train, test;
    private readonly CancellationToken cancel;

    public EncoderProbe(MLContext ml, IDataView train, IDataView test, CancellationToken cancel)
    {
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(train);
        (this.ml, this.train, this.test, this.cancel) = (ml, keys.Transform(train), keys.Transform(test), cancel);
    }

    /// <summary>Measures an encoder, guided by its masks where a column of them is named.</summary>
    public EncoderScore Measure(string name, VisionEncoder encoder, string? maskColumnName = null)
    {
        var embed = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions
        {
            InputColumnName = "ImagePath",
            OutputColumnName = "Features",
            MaskColumnName = maskColumnName,
        }).Fit(train);
        IDataView trained = Cached(embed.Transform(train)), heldOut = Cached(embed.Transform(test));

        return new(
            name,
            NearestNeighbors: Accuracy(ml.SelfSupervised().NearestNeighbors("Label", "Features", k: 20).Fit(trained), heldOut),
            Linear: Accuracy(LinearClassifier.Trainer(ml).Fit(trained), heldOut));
    }

    private double Accuracy(ITransformer classifier, IDataView data)
    {
        cancel.ThrowIfCancellationRequested();
        return ml.MulticlassClassification.Evaluate(classifier.Transform(data)).MicroAccuracy;
    }

    // Two classifiers read the features, one of them many times.
    private IDataView Cached(IDataView embedded) => ml.Data.Cache(embedded, "Features", "Label");
}
