using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Makes photographs smaller before they are kept; their aspect stays.</summary>
internal static class ImageReduction
{
    // A panorama longer than this is no photograph that a view would show at full height.
    private const double LargestAspect = 16;

    /// <summary>
    /// Returns the image with a short side of at most the given length, and a long side of at most 16 times that: no view needs more.
    /// </summary>
    public static RgbImage ToShortSide(RgbImage image, int longest)
    {
        double shortSide = Math.Min(image.Height, image.Width), longSide = Math.Max(image.Height, image.Width);
        return Scale(image, Math.Min(longest / shortSide, LargestAspect * longest / longSide));
    }

    /// <summary>Returns the image with a long side of at most the given length.</summary>
    public static RgbImage ToLongSide(RgbImage image, int longest) => Scale(image, (double)longest / Math.Max(image.Height, image.Width));

    private static RgbImage Scale(RgbImage image, double scale)
    {
        if (scale >= 1) return image;
        var size = new SKImageInfo(
            Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale)),
            SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var bitmap = PixelBuffers.ToBitmap(image);
        using var reduced = bitmap.Resize(size, SKFilterQuality.Medium)
            ?? throw new InvalidOperationException($"An image of {image.Width}x{image.Height} could not be resized.");
        return PixelBuffers.ToRgb(reduced);
    }
}
