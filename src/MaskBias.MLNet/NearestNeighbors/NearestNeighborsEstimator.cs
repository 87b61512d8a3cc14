using MaskBias.MLNet.RowMapping;
using Microsoft.ML;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>Classifies by the nearest training rows, as DINO evaluates its features. Fitting keeps the training rows in memory.</summary>
/// <remarks>
/// Adds the columns PredictedLabel (a key) and Score (each class's share of the votes). Rows without a class, or with features that are not
/// finite numbers, do not vote.
/// </remarks>
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
        var (rows, classes, _) = LabelledFeatures.Read(input, features, label);
        return new(options, label, new NearestNeighborClassifier(rows, classes, label.Count, options.K, options.Temperature));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ClassifierShape.CheckFeatures(inputSchema, options.FeatureColumnName);
        return ClassifierShape.Add(inputSchema, options.LabelColumnName);
    }
}
