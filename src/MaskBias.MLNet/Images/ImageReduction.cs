using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Makes photographs smaller before they are kept: no view needs more pixels than this.</summary>
internal static class ImageReduction
{
    /// <summary>Returns the image with a short side of at most the given length, its aspect unchanged.</summary>
    public static RgbImage ToShortSide(RgbImage image, int longest)
    {
        int shortSide = Math.Min(image.Height, image.Width);
        if (shortSide <= longest) return image;
        double scale = (double)longest / shortSide;
        var size = new SKImageInfo(
            Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale)), SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var bitmap = PixelBuffers.ToBitmap(image);
        using var reduced = bitmap.Resize(size, SKFilterQuality.Medium)
            ?? throw new InvalidOperationException($"An image of {image.Width}x{image.Height} could not be resized.");
        return PixelBuffers.ToRgb(reduced);
    }
}
