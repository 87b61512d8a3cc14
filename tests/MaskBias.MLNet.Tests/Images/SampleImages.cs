using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Images;

/// <summary>Draws test images.</summary>
internal static class SampleImages
{
    public static readonly string[] Classes = ["circle", "square", "stripes"];

    /// <summary>A coloured shape on a dark background; its class decides shape and main colour, its seed the rest.</summary>
    public static byte[] Shape(int shape, int seed, int width = 48, int height = 40, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        var random = new Random(100 * shape + seed);
        using var bitmap = new SKBitmap(width, height);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(new SKColor(20, 20, (byte)random.Next(60)));
        byte strong = (byte)random.Next(180, 255), weak = (byte)random.Next(60);
        using var paint = new SKPaint { IsAntialias = true, Color = shape switch { 0 => new(strong, weak, weak), 1 => new(weak, strong, weak), _ => new(weak, weak, strong) } };
        float x = random.Next(width / 3, width * 2 / 3), y = random.Next(height / 3, height * 2 / 3), r = Math.Min(width, height) / 3f;
        switch (shape)
        {
            case 0: canvas.DrawCircle(x, y, r, paint); break;
            case 1: canvas.DrawRect(x - r, y - r, 2 * r, 2 * r, paint); break;
            default:
                for (float s = 0; s < height; s += 8) canvas.DrawRect(0, s, width, 4, paint);
                break;
        }
        return Encode(bitmap, format);
    }

    /// <summary>Noise of the given transparency: every pixel matters.</summary>
    public static byte[] Noise(int width, int height, SKEncodedImageFormat format, bool transparent = false)
    {
        var random = new Random(width * 1000 + height);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, transparent ? SKAlphaType.Unpremul : SKAlphaType.Opaque));
        var pixels = PixelBuffers.Pixels(bitmap);
        random.NextBytes(pixels);
        if (!transparent)
        {
            for (int i = 3; i < pixels.Length; i += 4) pixels[i] = 255;
        }
        return Encode(bitmap, format);
    }

    /// <summary>A JPEG whose EXIF header gives the orientation, 1 to 8.</summary>
    public static byte[] JpegWithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif =
        [
            0xFF, 0xE1, 0, 34, (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0,
            (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8,              // big-endian TIFF header, directory at 8
            0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    public static RgbImage Decode(byte[] encoded) => ImageDecoder.Decode(encoded, "test image");

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var data = bitmap.Encode(format, 90);
        return data.ToArray();
    }
}
