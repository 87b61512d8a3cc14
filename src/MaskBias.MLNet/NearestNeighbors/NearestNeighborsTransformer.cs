using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>
/// Adds PredictedLabel (a key; missing where features are not finite) and Score (each class's share of the votes; NaN there). Safe under
/// parallel cursors.
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

    /// <summary>Bytes that the training rows take.</summary>
    internal long Bytes => sizeof(float) * (long)classifier.Rows.Count * classifier.FeatureDim;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column of features is missing or of another type or length than in training.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new RowBindings(inputSchema, Map(inputSchema)).Output;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column of features is missing or of another type or length than in training.</exception>
    public IDataView Transform(IDataView input) => new MappedView(input, Map(input.Schema));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(inputSchema, Map(inputSchema));

    /// <summary>
    /// Writes the transformer as ML.NET's own around an ONNX model with all training rows, which loads without this library and gives the
    /// same numbers. Features that are not finite, which have no neighbours here, have no meaning there.
    /// </summary>
    public void Save(ModelSaveContext ctx)
    {
        using var chain = NearestNeighborsOnnxChain.Build(new MLContext(seed: 0), options.FeatureColumnName, label, classifier);
        ((ITransformer)chain).Save(ctx);
    }

    private NearestNeighborsMapping Map(DataViewSchema input) => new(input, options.FeatureColumnName, label, classifier);
}
