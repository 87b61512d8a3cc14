using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>A linear layer on features, trained as ML.NET trains it (multinomial logistic regression).</summary>
internal static class LinearLayer
{
    // Features are of unit length and few: ML.NET's own strength, 1, would leave nothing of the weights.
    private const float Regularization = 0.01f;
    private const int Iterations = 100;

    /// <summary>Learns from images and gives the classes of others.</summary>
    /// <param name="features">A row of unit length per image.</param>
    /// <param name="classes">The class of each image.</param>
    /// <param name="known">The images to learn from, of two classes at least.</param>
    /// <param name="asked">The images to classify.</param>
    public static int[] Predict(float[][] features, IReadOnlyList<int> classes, int[] known, int[] asked)
    {
        var ml = new MLContext(seed: 1);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features[0].Length);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label", nameof(Row.Class))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new()
            {
                L1Regularization = 0, L2Regularization = Regularization, MaximumNumberOfIterations = Iterations,
            }))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        return [.. pipeline.Fit(Rows(known)).Transform(Rows(asked)).GetColumn<int>("PredictedLabel")];

        IDataView Rows(int[] images) =>
            ml.Data.LoadFromEnumerable(images.Select(i => new Row { Features = features[i], Class = classes[i] }), schema);
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public int Class { get; set; }
    }
}
