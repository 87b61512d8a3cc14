using System.Runtime.InteropServices;
using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Turns and mirrors pixels as the EXIF orientation asks.</summary>
internal static class ImageOrientation
{
    /// <summary>Returns a new, upright bitmap of the same 32-bit pixel type.</summary>
    public static SKBitmap Apply(SKBitmap image, SKEncodedOrigin origin)
    {
        bool swaps = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop
            or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        int width = swaps ? image.Height : image.Width, height = swaps ? image.Width : image.Height;
        var result = new SKBitmap(new SKImageInfo(width, height, image.ColorType, image.AlphaType));
        var source = MemoryMarshal.Cast<byte, uint>(PixelBuffers.Pixels(image));
        var target = MemoryMarshal.Cast<byte, uint>(PixelBuffers.Pixels(result));
        int right = image.Width - 1, bottom = image.Height - 1;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                // which stored pixel is seen at (x, y); the origin names the row and column that the stored first ones are
                var (sx, sy) = origin switch
                {
                    SKEncodedOrigin.TopRight => (right - x, y),
                    SKEncodedOrigin.BottomRight => (right - x, bottom - y),
                    SKEncodedOrigin.BottomLeft => (x, bottom - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (y, bottom - x),
                    SKEncodedOrigin.RightBottom => (right - y, bottom - x),
                    SKEncodedOrigin.LeftBottom => (right - y, x),
                    _ => (x, y),
                };
                target[y * width + x] = source[sy * image.Width + sx];
            }
        }
        return result;
    }
}
