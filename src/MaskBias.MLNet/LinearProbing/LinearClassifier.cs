using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>A linear layer before a softmax: a vector of weights and a bias per class.</summary>
/// <param name="Weights">[K][D].</param>
/// <param name="Biases">[K].</param>
internal sealed record LinearClassifier(float[][] Weights, float[] Biases)
{
    /// <summary>ML.NET's own maximum-entropy model with these weights; it is saved natively.</summary>
    public MulticlassPredictionTransformer<MaximumEntropyModelParameters> ToTransformer(
        IHostEnvironment environment, DataViewSchema input, string featureColumnName, LabelColumn label)
    {
        VBuffer<float>[] rows = [.. Weights.Select(w => new VBuffer<float>(w.Length, w))];
        var model = MlNetAccess.NewMaximumEntropy(environment, rows, Biases, Biases.Length, rows[0].Length, label.Names(), null);
        return MlNetAccess.NewMulticlassTransformer(environment, model, input, featureColumnName, label.Name);
    }
}
