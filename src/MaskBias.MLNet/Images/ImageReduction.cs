using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Makes photographs smaller before they are kept; their aspect stays.</summary>
internal static class ImageReduction
{
    // A panorama longer than this is no photograph that a view would show at full height.
    private const double LargestAspect = 16;

    /// <summary>
    /// What an image must be scaled by to have a short side of at most the given length, and a long side of at most 16 times that: no view needs
    /// more.
    /// </summary>
    public static double ToShortSide(int height, int width, int longest)
    {
        double shortSide = Math.Min(height, width), longSide = Math.Max(height, width);
        return Math.Min(1, Math.Min(longest / shortSide, LargestAspect * longest / longSide));
    }

    /// <summary>Returns the image scaled so.</summary>
    public static RgbImage ToShortSide(RgbImage image, int longest) => Scale(image, ToShortSide(image.Height, image.Width, longest));

    /// <summary>Returns the image with a long side of at most the given length.</summary>
    public static RgbImage ToLongSide(RgbImage image, int longest) => Scale(image, (double)longest / Math.Max(image.Height, image.Width));

    /// <summary>The pixels of a bitmap at a share of an image's size, at most 1.</summary>
    /// <param name="bitmap">The image, or one that is reduced already, but to no less.</param>
    /// <param name="height">Of the whole image.</param>
    /// <param name="width">Of the whole image.</param>
    /// <param name="scale">The share of both.</param>
    public static RgbImage Scale(SKBitmap bitmap, int height, int width, double scale)
    {
        var size = new SKImageInfo(
            Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)), bitmap.ColorType, bitmap.AlphaType);
        if (size.Size == bitmap.Info.Size) return PixelBuffers.ToRgb(bitmap);
        using var reduced = bitmap.Resize(size, SKFilterQuality.Medium)
            ?? throw new InvalidOperationException($"An image of {width}x{height} could not be resized.");
        return PixelBuffers.ToRgb(reduced);
    }

    private static RgbImage Scale(RgbImage image, double scale)
    {
        if (scale >= 1) return image;
        using var bitmap = PixelBuffers.ToBitmap(image);
        return Scale(bitmap, image.Height, image.Width, scale);
    }
}
