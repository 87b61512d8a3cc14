using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Masks;

/// <summary>The column that holds encoded mask sets: adds, finds and reads it.</summary>
internal static class MaskColumn
{
    /// <summary>The column as a transformer adds it.</summary>
    public static DataViewSchema.DetachedColumn New(string name) => new(name, new VectorDataViewType(NumberDataViewType.Byte));

    /// <summary>Adds the column to the shape of an estimator's input.</summary>
    public static SchemaShape Add(SchemaShape input, string name)
    {
        var masks = MlNetAccess.NewColumn(name, SchemaShape.Column.VectorKind.VariableVector, NumberDataViewType.Byte, isKey: false);
        return new SchemaShape(input.Where(c => c.Name != name).Append(masks));
    }

    /// <summary>Gives encoded mask sets as values of the column.</summary>
    public static ValueGetter<VBuffer<byte>> Getter(Func<byte[]> encoded) => (ref VBuffer<byte> value) =>
    {
        byte[] bytes = encoded();
        var editor = VBufferEditor.Create(ref value, bytes.Length);
        bytes.CopyTo(editor.Values);
        value = editor.Commit();
    };

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
