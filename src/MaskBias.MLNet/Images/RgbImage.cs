using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>A decoded image: 8-bit red, green and blue, row by row.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps pixels without copying them.</summary>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="pixels">Height · width · 3 bytes, R, G, B.</param>
    public RgbImage(int height, int width, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (pixels.LongLength != 3L * height * width)
            throw new ArgumentException($"{pixels.LongLength} bytes do not make {width}x{height} pixels of 3 bytes.", nameof(pixels));
        (Height, Width, Pixels) = (height, width, pixels);
    }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Height · width · 3 bytes, R, G, B.</summary>
    public byte[] Pixels { get; }

    /// <summary>The image with its longer side reduced to a length; itself where it is no longer than that.</summary>
    /// <param name="longestSide">Pixels, at least 1.</param>
    public RgbImage Reduced(int longestSide)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longestSide, 1);
        return ImageReduction.ToLongSide(this, longestSide);
    }

    /// <summary>The image as a PNG file.</summary>
    public byte[] ToPng() => Encode(SKEncodedImageFormat.Png, quality: 100);

    /// <summary>The image as a JPEG file.</summary>
    /// <param name="quality">0 to 100.</param>
    public byte[] ToJpeg(int quality = 90)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quality);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        return Encode(SKEncodedImageFormat.Jpeg, quality);
    }

    private byte[] Encode(SKEncodedImageFormat format, int quality)
    {
        using var bitmap = PixelBuffers.ToBitmap(this);
        using var data = bitmap.Encode(format, quality)
            ?? throw new InvalidOperationException($"An image of {Width}x{Height} cannot be written as {format}.");
        return data.ToArray();
    }
}
