using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>
/// Resizes to a square with the same numbers as ML.NET's ResizeImages(IsoCrop) followed by ExtractPixels, so that an encoder sees the
/// same pixels before and after its pipeline is saved.
/// </summary>
internal static class IsoCropResizer
{
    /// <summary>Writes the resized image's pixels, [0, 255], planar [3, S, S] in the order R, G, B.</summary>
    /// <param name="image">32-bit pixels with premultiplied alpha.</param>
    /// <param name="size">The side S.</param>
    /// <param name="planar">Receives 3·S·S values.</param>
    public static void Resize(SKBitmap image, int size, Span<float> planar)
    {
        if (image.Width == size && image.Height == size)
        {
            PixelBuffers.ToPlanar(image, planar);
            return;
        }
        using var resized = Draw(image, size);
        PixelBuffers.ToPlanar(resized, planar);
    }

    /// <inheritdoc cref="Resize(SKBitmap, int, Span{float})"/>
    public static void Resize(RgbImage image, int size, Span<float> planar)
    {
        using var bitmap = PixelBuffers.ToBitmap(image);
        Resize(bitmap, size, planar);
    }

    /// <summary>Resizes to an image of S x S pixels.</summary>
    public static RgbImage Resize(RgbImage image, int size)
    {
        if (image.Width == size && image.Height == size) return image;
        using var bitmap = PixelBuffers.ToBitmap(image);
        using var resized = Draw(bitmap, size);
        return PixelBuffers.ToRgb(resized);
    }

    private static SKBitmap Draw(SKBitmap image, int size)
    {
        var (left, top, width, height) = IsoCrop.Placement(image.Width, image.Height, size);
        var target = new SKBitmap(size, size, isOpaque: true);
        target.Erase(SKColors.Black);
        using var canvas = new SKCanvas(target);
        using var paint = new SKPaint { FilterQuality = SKFilterQuality.High };      // Mitchell's cubic filter
        canvas.DrawBitmap(image, new SKRect(0, 0, image.Width, image.Height), new SKRect(left, top, left + width, top + height), paint);
        return target;
    }
}
