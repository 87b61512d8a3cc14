using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>ML.NET's maximum-entropy classifier on an encoder's features.</summary>
internal static class LinearClassifier
{
    public static LbfgsMaximumEntropyMulticlassTrainer Trainer(MLContext ml) =>
        ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Features", l1Regularization: 0, l2Regularization: 0.1f);

    /// <summary>Fits a model from ImagePath to Features, Score and PredictedLabel, the class's name.</summary>
    /// <remarks>
    /// Mapping the labels to keys belongs to training alone, so it is left out of the chain: the model asks for no column Label.
    /// </remarks>
    public static ITransformer Fit(MLContext ml, VisionEncoder encoder, IDataView train)
    {
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(train);
        var embed = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(train);
        IDataView embedded = ml.Data.Cache(embed.Transform(keys.Transform(train)), "Features", "Label");
        var classifier = Trainer(ml).Fit(embedded);
        var names = ml.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(classifier.Transform(embedded));
        return new TransformerChain<ITransformer>(embed, classifier, names);
    }
}
