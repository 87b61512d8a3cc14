using System.Runtime.Intrinsics;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Conversions between 32-bit bitmaps, RGB bytes and planar floats.</summary>
internal static class PixelBuffers
{
    private static readonly Vector128<byte>
        FromRgba = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0),
        FromBgra = Vector128.Create((byte)2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0, 0, 0, 0);

    /// <summary>Drops alpha: premultiplied pixels without it are those composited on black.</summary>
    public static RgbImage ToRgb(SKBitmap bitmap)
    {
        var source = Pixels(bitmap);
        var pixels = new byte[3 * bitmap.Width * bitmap.Height];
        var (red, blue) = Order(bitmap.ColorType);
        var order = red == 0 ? FromRgba : FromBgra;
        int from = 0, to = 0;
        // Four pixels at once; what is stored beyond them, the next ones overwrite.
        for (; to <= pixels.Length - Vector128<byte>.Count; from += 16, to += 12)
            Vector128.Shuffle(Vector128.Create<byte>(source.Slice(from, 16)), order).CopyTo(pixels, to);
        for (; to < pixels.Length; from += 4, to += 3)
        {
            pixels[to] = source[from + red];
            pixels[to + 1] = source[from + 1];
            pixels[to + 2] = source[from + blue];
        }
        return new RgbImage(bitmap.Height, bitmap.Width, pixels);
    }

    /// <summary>Writes pixels in [0, 255], planar [3, H, W] in the order R, G, B.</summary>
    public static void ToPlanar(SKBitmap bitmap, Span<float> planar)
    {
        var source = Pixels(bitmap);
        int count = bitmap.Width * bitmap.Height;
        var (red, blue) = Order(bitmap.ColorType);
        Span<float> r = planar[..count], g = planar.Slice(count, count), b = planar.Slice(2 * count, count);
        for (int i = 0; i < count; i++)
        {
            r[i] = source[4 * i + red];
            g[i] = source[4 * i + 1];
            b[i] = source[4 * i + blue];
        }
    }

    public static SKBitmap ToBitmap(RgbImage image)
    {
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Bgra8888, SKAlphaType.Opaque));
        var target = Pixels(bitmap);
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            target[to] = image.Pixels[from + 2];
            target[to + 1] = image.Pixels[from + 1];
            target[to + 2] = image.Pixels[from];
            target[to + 3] = 255;
        }
        return bitmap;
    }

    /// <summary>Copies an ML.NET image, whose pixels live only until its owner moves on.</summary>
    public static SKBitmap ToBitmap(MLImage image)
    {
        var type = image.PixelFormat == MLPixelFormat.Rgba32 ? SKColorType.Rgba8888 : SKColorType.Bgra8888;
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, type, SKAlphaType.Premul));
        PixelsOf(image).CopyTo(Pixels(bitmap));
        return bitmap;
    }

    /// <summary>The bitmap's own pixels, valid while it lives.</summary>
    // Not SKBitmap.GetPixelSpan, whose return type differs between SkiaSharp 2 and 3.
    public static unsafe Span<byte> Pixels(SKBitmap bitmap) => new((void*)bitmap.GetPixels(), bitmap.ByteCount);

    private static ReadOnlySpan<byte> PixelsOf(MLImage image)
    {
        try
        {
            return image.Pixels;
        }
        catch (MissingMethodException e)
        {
            var skia = typeof(SKBitmap).Assembly.GetName().Version;
            throw new NotSupportedException(
                $"ML.NET cannot give an image's pixels with SkiaSharp {skia}: the application must use SkiaSharp 2.88, or a column of paths.", e);
        }
    }

    private static (int Red, int Blue) Order(SKColorType type) => type == SKColorType.Rgba8888 ? (0, 2) : (2, 0);
}
