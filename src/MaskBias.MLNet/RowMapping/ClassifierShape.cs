using Microsoft.ML;
using Microsoft.ML.Data;
using static Microsoft.ML.SchemaShape.Column;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The columns that a multiclass classifier promises: PredictedLabel and Score, as ML.NET's own trainers give them.</summary>
internal static class ClassifierShape
{
    public const string PredictedLabelColumnName = "PredictedLabel";
    public const string ScoreColumnName = "Score";

    /// <summary>Adds the two columns to the shape of the input.</summary>
    /// <exception cref="ArgumentException">The column of classes is missing, or holds no keys.</exception>
    public static SchemaShape Add(SchemaShape input, string labelColumnName)
    {
        var label = Find(input, labelColumnName, "classes");
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
            PredictedLabelColumnName, VectorKind.Scalar, NumberDataViewType.UInt32, isKey: true, new(keyValues));
        var score = MlNetAccess.NewColumn(
            ScoreColumnName, VectorKind.Vector, NumberDataViewType.Single, isKey: false, new([.. names, .. kinds]));
        return new SchemaShape(input.Where(c => c.Name != predicted.Name && c.Name != score.Name).Append(predicted).Append(score));
    }

    /// <summary>Checks a column of feature vectors.</summary>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public static void CheckFeatures(SchemaShape input, string featureColumnName)
    {
        var features = Find(input, featureColumnName, "features");
        if (features.Kind == VectorKind.Vector && features.ItemType == NumberDataViewType.Single) return;
        throw new ArgumentException(
            $"Column '{features.Name}' is {features.Kind} of {features.ItemType}; a column of features must be a vector of Single of known size.");
    }

    private static SchemaShape.Column New(string name, VectorKind kind, DataViewType type) =>
        MlNetAccess.NewColumn(name, kind, type, isKey: false);

    private static SchemaShape.Column Find(SchemaShape schema, string name, string purpose)
    {
        var column = schema.FirstOrDefault(c => c.Name == name);
        return column.Name is not null ? column : throw MissingColumn.Error(schema, name, purpose);
    }
}
