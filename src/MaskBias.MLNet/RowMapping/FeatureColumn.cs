using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>Finds a column of feature vectors.</summary>
internal static class FeatureColumn
{
    /// <exception cref="ArgumentException">There is no such column, or it is no vector of Single of known size.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw MissingColumn.Error(schema, name, "features");
        bool fits = column.Type is VectorDataViewType { IsKnownSize: true } vector && vector.ItemType == NumberDataViewType.Single;
        return fits ? column : throw new ArgumentException(
            $"Column '{name}' is {column.Type}; a column of features must be a vector of Single of known size.");
    }
}
