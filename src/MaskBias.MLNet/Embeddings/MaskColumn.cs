using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Embeddings;

/// <summary>Finds the column of encoded masks.</summary>
internal static class MaskColumn
{
    private const string Purpose = "masks";

    /// <exception cref="ArgumentException">There is no such column, or it cannot hold masks.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw MissingColumn.Error(schema, name, Purpose);
        return column.Type is VectorDataViewType { ItemType: NumberDataViewType item } && item == NumberDataViewType.Byte
            ? column
            : throw new ArgumentException($"Column '{name}' is {column.Type}; a column of masks must be a vector of Byte.");
    }

    /// <inheritdoc cref="Find(DataViewSchema, string)"/>
    public static void Check(SchemaShape schema, string name)
    {
        var column = schema.FirstOrDefault(c => c.Name == name);
        if (column.Name is null) throw MissingColumn.Error(schema, name, Purpose);
        if (column.Kind == SchemaShape.Column.VectorKind.Scalar || column.ItemType != NumberDataViewType.Byte)
            throw new ArgumentException($"Column '{name}' is {column.ItemType}; a column of masks must be a vector of Byte.");
    }
}
