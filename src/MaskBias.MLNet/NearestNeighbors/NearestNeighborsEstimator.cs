using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>Classifies by the nearest training rows, as DINO evaluates its features. Fitting keeps the training rows in memory.</summary>
/// <remarks>Adds the columns PredictedLabel (a key) and Score (each class's share of the votes).</remarks>
public sealed class NearestNeighborsEstimator : IEstimator<NearestNeighborsTransformer>
{
    private readonly NearestNeighborsOptions options;

    internal NearestNeighborsEstimator(NearestNeighborsOptions options) => this.options = OptionsValidator.Validate(options).Copy();

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or no row has a class.</exception>
    public NearestNeighborsTransformer Fit(IDataView input)
    {
        var features = FeatureColumn.Find(input.Schema, options.FeatureColumnName);
        var label = LabelColumn.Find(input.Schema, options.LabelColumnName);
        var (rows, classes) = Read(input, features, input.Schema[label.Name]);
        return new(options, label, new NearestNeighborClassifier(rows, classes, label.Count, options.K, options.Temperature));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ClassifierShape.CheckFeatures(inputSchema, options.FeatureColumnName);
        return ClassifierShape.Add(inputSchema, options.LabelColumnName);
    }

    // Rows with a missing class or with missing features have nothing to vote for or with.
    private static (List<float[]> Features, List<int> Classes) Read(
        IDataView input, DataViewSchema.Column features, DataViewSchema.Column label)
    {
        var (rows, classes) = (new List<float[]>(), new List<int>());
        using var cursor = input.GetRowCursor([features, label]);
        var readFeatures = cursor.GetGetter<VBuffer<float>>(features);
        var readLabel = cursor.GetGetter<uint>(label);
        VBuffer<float> vector = default;
        uint key = 0;
        while (cursor.MoveNext())
        {
            readLabel(ref key);
            if (key == 0) continue;
            readFeatures(ref vector);
            float[] row = [.. vector.DenseValues()];
            if (row.Any(float.IsNaN)) continue;
            rows.Add(row);
            classes.Add((int)key - 1);
        }
        return (rows, classes);
    }
}
