using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>
/// Adds PredictedLabel (a key; missing where features are NaN) and Score (each class's share of the votes). Safe under parallel cursors.
/// </summary>
public sealed class NearestNeighborsTransformer : ITransformer
{
    private readonly NearestNeighborsOptions options;
    private readonly LabelColumn label;
    private readonly NearestNeighborClassifier classifier;

    internal NearestNeighborsTransformer(NearestNeighborsOptions options, LabelColumn label, NearestNeighborClassifier classifier) =>
        (this.options, this.label, this.classifier) = (options, label, classifier);

    /// <summary>True: every row is computed by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column of features is missing or of another type or length than in training.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new RowBindings(inputSchema, Map(inputSchema)).Output;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column of features is missing or of another type or length than in training.</exception>
    public IDataView Transform(IDataView input) => new MappedView(input, Map(input.Schema));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(inputSchema, Map(inputSchema));

    /// <summary>Nearest neighbours cannot be part of a saved ML.NET model.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void Save(ModelSaveContext ctx) => throw new NotSupportedException(
        "A nearest-neighbour classifier is its training data and cannot be saved in an ML.NET model: "
        + "save a trained classifier on the same features instead, for instance MulticlassClassification.Trainers.LbfgsMaximumEntropy.");

    private NearestNeighborsMapping Map(DataViewSchema input) => new(input, options.FeatureColumnName, label, classifier);
}
