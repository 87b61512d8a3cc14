using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Decodes JPEG, PNG, GIF (first frame), BMP and WebP.</summary>
public static class ImageDecoder
{
    /// <summary>Pixels an image may have unless the caller says otherwise: 100 million.</summary>
    public const long DefaultMaxPixels = 100_000_000;

    internal const string Formats = "JPEG, PNG, GIF, BMP and WebP";

    /// <summary>Decodes an image; transparent pixels are composited on black, as ML.NET's image transforms do.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="name">What errors call the image, for instance its path.</param>
    /// <param name="applyOrientation">Whether the EXIF orientation turns and mirrors the pixels upright.</param>
    /// <param name="maxPixels">Larger images are refused before memory is allocated for them.</param>
    /// <exception cref="ImageReadException">The bytes are empty, truncated, damaged, too large or of an unknown format.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded, string name, bool applyOrientation = true, long maxPixels = DefaultMaxPixels)
    {
        using var bitmap = DecodeBitmap(encoded, name, applyOrientation, maxPixels);
        return PixelBuffers.ToRgb(bitmap);
    }

    /// <summary>
    /// Decodes to 32-bit pixels with premultiplied alpha: byte for byte what ML.NET's LoadImages gives for the same file.
    /// </summary>
    internal static SKBitmap DecodeBitmap(
        ReadOnlySpan<byte> encoded, string name, bool applyOrientation, long maxPixels = DefaultMaxPixels, TurnedImages? turned = null)
    {
        using var data = SKData.CreateCopy(encoded);
        using var codec = Open(data, name, maxPixels);
        var bitmap = Decode(codec, codec.Info.Size, name, applyOrientation);
        if (IsStoredTurned(codec)) turned?.Add();
        return bitmap;
    }

    /// <summary>
    /// Decodes an image and reduces it to a short side. Of a JPEG or WebP file much larger than that no more is decoded than is needed.
    /// </summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="name">What errors call the image.</param>
    /// <param name="maxShortSide">In pixels; a long side has at most 16 times as many.</param>
    internal static ReducedImage DecodeReduced(ReadOnlySpan<byte> encoded, string name, int maxShortSide)
    {
        using var data = SKData.CreateCopy(encoded);
        using var codec = Open(data, name, DefaultMaxPixels);
        var whole = codec.Info.Size;
        double scale = ImageReduction.ToShortSide(whole.Height, whole.Width, maxShortSide);
        using var bitmap = Decode(codec, Smallest(codec, scale), name, applyOrientation: true);
        var (height, width) = IsTurned(codec.EncodedOrigin) ? (whole.Width, whole.Height) : (whole.Height, whole.Width);
        return new(ImageReduction.Scale(bitmap, height, width, scale), height, width, IsStoredTurned(codec));
    }

    /// <summary>Whether upright pixels have rows where the stored ones have columns.</summary>
    internal static bool IsTurned(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    /// <summary>Refuses an image of too many pixels, before memory is taken for them.</summary>
    /// <exception cref="ImageReadException">It has more.</exception>
    internal static void CheckSize(SKSizeI size, string name, long maxPixels = DefaultMaxPixels)
    {
        if ((long)size.Width * size.Height > maxPixels)
            throw new ImageReadException($"{name} is {size.Width}x{size.Height}; an image may have at most {maxPixels} pixels.");
    }

    private static bool IsStoredTurned(SKCodec codec) => codec.EncodedOrigin != SKEncodedOrigin.TopLeft;

    private static SKCodec Open(SKData data, string name, long maxPixels)
    {
        if (data.IsEmpty) throw new ImageReadException($"{name} is empty (0 bytes).");
        var codec = SKCodec.Create(data) ?? throw new ImageReadException(OtherImageFormat.Of(data.AsSpan()) is { } other
            ? $"{name} is {other}, which cannot be read: convert it to one of {Formats}."
            : $"{name} ({data.Size} bytes) is not an image that can be read; formats are {Formats}.");
        try
        {
            CheckSize(codec.Info.Size, name, maxPixels);
            return codec;
        }
        catch
        {
            codec.Dispose();
            throw;
        }
    }

    // The smallest size that the file can be decoded to, in eighths, that is no smaller than the scaled one.
    private static SKSizeI Smallest(SKCodec codec, double scale)
    {
        var whole = codec.Info.Size;
        for (int eighths = 1; eighths < 8; eighths++)
        {
            var size = codec.GetScaledDimensions(eighths / 8f);
            if (size.Width >= whole.Width * scale && size.Height >= whole.Height * scale) return size;
        }
        return whole;
    }

    private static SKBitmap Decode(SKCodec codec, SKSizeI size, string name, bool applyOrientation)
    {
        var info = codec.Info.WithSize(size);
        info.ColorSpace = null;                                        // no colour management, as in SKBitmap.Decode
        if (info.AlphaType == SKAlphaType.Unpremul) info.AlphaType = SKAlphaType.Premul;
        var bitmap = new SKBitmap(info);
        try
        {
            Check(codec.GetPixels(info, bitmap.GetPixels()), name);
            return Upright(As32Bit(bitmap, name), applyOrientation ? codec.EncodedOrigin : SKEncodedOrigin.TopLeft);
        }
        catch
        {
            bitmap.Dispose();
            throw;
        }
    }

    private static void Check(SKCodecResult result, string name)
    {
        if (result == SKCodecResult.Success) return;
        throw new ImageReadException(result switch
        {
            SKCodecResult.IncompleteInput => $"{name} is truncated: its pixels end early.",
            SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => $"{name} is damaged: its pixels cannot be decoded.",
            _ => $"{name} cannot be decoded ({result}).",
        });
    }

    private static SKBitmap As32Bit(SKBitmap bitmap, string name)
    {
        if (bitmap.ColorType is SKColorType.Bgra8888 or SKColorType.Rgba8888) return bitmap;
        var copy = bitmap.Copy(SKColorType.Bgra8888)
            ?? throw new ImageReadException($"{name} has pixels of type {bitmap.ColorType}, which cannot be converted.");
        bitmap.Dispose();
        return copy;
    }

    private static SKBitmap Upright(SKBitmap bitmap, SKEncodedOrigin origin)
    {
        if (origin == SKEncodedOrigin.TopLeft) return bitmap;
        var upright = ImageOrientation.Apply(bitmap, origin);
        bitmap.Dispose();
        return upright;
    }
}
