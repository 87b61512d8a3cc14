using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using static Microsoft.ML.SchemaShape.Column;

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
        var features = Column(inputSchema, options.FeatureColumnName, "features");
        if (features.Kind != VectorKind.Vector || features.ItemType != NumberDataViewType.Single)
        {
            throw new ArgumentException(
                $"Column '{features.Name}' is {features.Kind} of {features.ItemType}; a column of features must be a vector of Single of known size.");
        }
        var label = Column(inputSchema, options.LabelColumnName, "classes");
        if (!label.IsKey || label.Kind != VectorKind.Scalar || label.ItemType != NumberDataViewType.UInt32)
            throw LabelColumn.NoKey(label.Name, label.ItemType);

        var keyValues = label.Annotations.Where(a => a.Name == LabelColumn.KeyValues).ToArray();
        var text = (DataViewType)TextDataViewType.Instance;
        SchemaShape.Column[] names = keyValues.Any(k => k.ItemType is TextDataViewType)
            ? [New(LabelColumn.SlotNames, VectorKind.Vector, text), New(LabelColumn.TrainingLabelValues, VectorKind.Vector, text)]
            : [];
        SchemaShape.Column[] kinds =
            [New(LabelColumn.ScoreColumnKind, VectorKind.Scalar, text), New(LabelColumn.ScoreValueKind, VectorKind.Scalar, text)];
        var predicted = MlNetAccess.NewColumn(
            NearestNeighborsTransformer.PredictedLabelColumnName, VectorKind.Scalar, NumberDataViewType.UInt32, isKey: true, new(keyValues));
        var score = MlNetAccess.NewColumn(
            NearestNeighborsTransformer.ScoreColumnName, VectorKind.Vector, NumberDataViewType.Single, isKey: false, new([.. names, .. kinds]));
        return new SchemaShape(inputSchema.Where(c => c.Name != predicted.Name && c.Name != score.Name).Append(predicted).Append(score));
    }

    private static SchemaShape.Column New(string name, VectorKind kind, DataViewType type) =>
        MlNetAccess.NewColumn(name, kind, type, isKey: false);

    private static SchemaShape.Column Column(SchemaShape schema, string name, string purpose)
    {
        var column = schema.FirstOrDefault(c => c.Name == name);
        return column.Name is not null ? column : throw MissingColumn.Error(schema, name, purpose);
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
