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
    private readonly TurnedImages? turned;
    private readonly Func<Func<SKBitmap>> postpone;
    private MLImage? image;        // its source's or the user's: not ours to dispose
    private VBuffer<byte> encoded;

    /// <param name="row">The row or cursor; the column must be active in it.</param>
    /// <param name="columnName">A column that <see cref="ImageColumn"/> accepts.</param>
    /// <param name="applyOrientation">Whether the EXIF orientation of encoded images is honoured.</param>
    /// <param name="turned">Counts those that are stored turned.</param>
    public ImageRowReader(DataViewRow row, string columnName, bool applyOrientation, TurnedImages? turned = null)
    {
        (this.row, this.columnName, this.applyOrientation, this.turned) = (row, columnName, applyOrientation, turned);
        var (column, kind) = ImageColumn.Find(row.Schema, columnName);
        postpone = kind switch
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
    public SKBitmap ReadBitmap() => postpone()();

    /// <summary>
    /// Takes what the current row says of its image, which may be read later and on any thread: then the file is read and decoded.
    /// An ML.NET image is copied at once, because it is gone when the cursor moves on; it can be read once.
    /// </summary>
    /// <returns>Reads the image as <see cref="ReadBitmap"/> does.</returns>
    public Func<SKBitmap> Postpone() => postpone();

    /// <summary>The current row and the column, for errors.</summary>
    public string Place => $"Row {row.Position}, column '{columnName}'";

    private Func<Func<SKBitmap>> PathReader(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> value = default;
        return () =>
        {
            getter(ref value);
            string path = value.ToString(), place = Place;
            return () => Decode(ImageSource.ReadFile(place, path), $"{place}: '{path}'");
        };
    }

    private Func<Func<SKBitmap>> EncodedReader(ValueGetter<VBuffer<byte>> getter) => () =>
    {
        getter(ref encoded);
        byte[] bytes = [.. encoded.DenseValues()];
        string place = Place;
        return () => Decode(bytes, $"{place}: the encoded image");
    };

    private SKBitmap Decode(byte[] bytes, string name) => ImageDecoder.DecodeBitmap(bytes, name, applyOrientation, turned: turned);

    private Func<Func<SKBitmap>> ImageReader(ValueGetter<MLImage> getter) => () =>
    {
        try
        {
            getter(ref image!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)      // what LoadImages throws
        {
            var fault = new ImageReadException($"{Place}: the image cannot be loaded: {e.Message}", e);
            return () => throw fault;
        }
        if (image is null)
        {
            var fault = new ImageReadException($"{Place}: there is no image.");
            return () => throw fault;
        }
        var copy = PixelBuffers.ToBitmap(image);
        return () => copy;
    };
}
