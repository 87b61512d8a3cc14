using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>
/// Reads the image of a cursor's current row, from a path, encoded bytes or an ML.NET image. One per cursor; for one thread.
/// </summary>
internal sealed class ImageRowReader
{
    private readonly DataViewRow row;
    private readonly string columnName;
    private readonly bool applyOrientation;
    private readonly Func<SKBitmap> read;
    private MLImage? image;        // its source's or the user's: not ours to dispose
    private VBuffer<byte> encoded;

    /// <param name="row">The row or cursor; the column must be active in it.</param>
    /// <param name="columnName">A column that <see cref="ImageColumn"/> accepts.</param>
    /// <param name="applyOrientation">Whether the EXIF orientation of encoded images is honoured.</param>
    public ImageRowReader(DataViewRow row, string columnName, bool applyOrientation)
    {
        (this.row, this.columnName, this.applyOrientation) = (row, columnName, applyOrientation);
        var (column, kind) = ImageColumn.Find(row.Schema, columnName);
        read = kind switch
        {
            ImageColumnKind.Path => PathReader(row.GetGetter<ReadOnlyMemory<char>>(column)),
            ImageColumnKind.Encoded => EncodedReader(row.GetGetter<VBuffer<byte>>(column)),
            _ => ImageReader(row.GetGetter<MLImage>(column)),
        };
    }

    /// <summary>Reads the current row's image.</summary>
    /// <exception cref="ImageReadException">
    /// It is missing or cannot be read; the message names the row, the column and the file.
    /// </exception>
    public RgbImage Read()
    {
        using var bitmap = ReadBitmap();
        return PixelBuffers.ToRgb(bitmap);
    }

    /// <summary>Reads the current row's image as 32-bit pixels with premultiplied alpha, for the caller to dispose.</summary>
    /// <exception cref="ImageReadException">
    /// It is missing or cannot be read; the message names the row, the column and the file.
    /// </exception>
    public SKBitmap ReadBitmap() => read();

    /// <summary>The current row and the column, for errors.</summary>
    public string Place => $"Row {row.Position}, column '{columnName}'";

    private Func<SKBitmap> PathReader(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> value = default;
        return () =>
        {
            getter(ref value);
            string path = value.ToString();
            return ImageDecoder.DecodeBitmap(ImageSource.ReadFile(Place, path), $"{Place}: '{path}'", applyOrientation);
        };
    }

    private Func<SKBitmap> EncodedReader(ValueGetter<VBuffer<byte>> getter) => () =>
    {
        getter(ref encoded);
        var bytes = encoded.IsDense ? encoded.GetValues() : encoded.DenseValues().ToArray();
        return ImageDecoder.DecodeBitmap(bytes, $"{Place}: the encoded image", applyOrientation);
    };

    private Func<SKBitmap> ImageReader(ValueGetter<MLImage> getter) => () =>
    {
        try
        {
            getter(ref image!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)      // what LoadImages throws
        {
            throw new ImageReadException($"{Place}: the image cannot be loaded: {e.Message}", e);
        }
        return image is null ? throw new ImageReadException($"{Place}: there is no image.") : PixelBuffers.ToBitmap(image);
    };
}
