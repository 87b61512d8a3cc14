using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Masks;

/// <summary>Finds and reads the column that holds encoded mask sets.</summary>
internal static class MaskColumn
{
    /// <exception cref="ArgumentException">There is no such column, or it is not a vector of bytes.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name) ?? throw MissingColumn.Error(schema, name, "masks");
        return column.Type is VectorDataViewType { ItemType: NumberDataViewType item } && item == NumberDataViewType.Byte ? column : throw WrongType(name, column.Type);
    }

    /// <inheritdoc cref="Find(DataViewSchema, string)"/>
    public static void Check(SchemaShape schema, string name)
    {
        var column = schema.FirstOrDefault(c => c.Name == name);
        if (column.Name is null) throw MissingColumn.Error(schema, name, "masks");
        if (column.Kind == SchemaShape.Column.VectorKind.Scalar || column.ItemType != NumberDataViewType.Byte) throw WrongType(name, column.ItemType);
    }

    /// <summary>Reads the current row's masks; an empty value means none.</summary>
    public static Func<MaskSet?> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<VBuffer<byte>>(column);
        VBuffer<byte> buffer = default;
        return () =>
        {
            getter(ref buffer);
            if (buffer.Length == 0) return null;
            try
            {
                return buffer.IsDense ? MaskSet.Decode(buffer.GetValues()) : MaskSet.Decode(buffer.DenseValues().ToArray());
            }
            catch (FormatException e)
            {
                throw new InvalidDataException($"Row {row.Position}, column '{column.Name}': {e.Message}", e);
            }
        };
    }

    private static ArgumentException WrongType(string name, DataViewType type) =>
        new($"Column '{name}' is {type}; a column of masks must be a vector of Byte (an encoded MaskSet, as SegmentImages makes).");
}
