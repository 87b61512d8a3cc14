using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MaskBias.MLNet.Images;

/// <summary>Finds the column that holds the images and tells how it holds them.</summary>
internal static class ImageColumn
{
    private const string Purpose = "images";
    private const string Allowed = "Text (a path), a vector of Byte (an encoded file) or Image";

    /// <exception cref="ArgumentException">There is no such column, or it cannot hold images.</exception>
    public static (DataViewSchema.Column Column, ImageColumnKind Kind) Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name) ?? throw MissingColumn.Error(schema, name, Purpose);
        return (column, column.Type switch
        {
            TextDataViewType => ImageColumnKind.Path,
            ImageDataViewType => ImageColumnKind.Image,
            VectorDataViewType { ItemType: NumberDataViewType item } when item == NumberDataViewType.Byte => ImageColumnKind.Encoded,
            _ => throw WrongType(name, column.Type.ToString()!),
        });
    }

    /// <inheritdoc cref="Find(DataViewSchema, string)"/>
    public static ImageColumnKind Find(SchemaShape schema, string name)
    {
        var column = schema.FirstOrDefault(c => c.Name == name);
        if (column.Name is null) throw MissingColumn.Error(schema, name, Purpose);
        bool isVector = column.Kind != SchemaShape.Column.VectorKind.Scalar;
        return (isVector, column.ItemType) switch
        {
            (false, TextDataViewType) => ImageColumnKind.Path,
            (false, ImageDataViewType) => ImageColumnKind.Image,
            (true, NumberDataViewType item) when item == NumberDataViewType.Byte => ImageColumnKind.Encoded,
            _ => throw WrongType(name, isVector ? $"Vector<{column.ItemType}>" : column.ItemType.ToString()!),
        };
    }

    private static ArgumentException WrongType(string name, string type) =>
        new($"Column '{name}' is {type}; a column of images must be {Allowed}.");
}
