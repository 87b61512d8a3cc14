using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>A picture of equal square tiles in rows and columns; every image is stretched to its tile.</summary>
internal sealed class TileSheet : IDisposable
{
    private const int Tile = 128, Gap = 4;

    private readonly SKSurface surface;

    public TileSheet(int rows, int columns)
    {
        int width = columns * (Tile + Gap) + Gap, height = rows * (Tile + Gap) + Gap;
        surface = SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
    }

    /// <summary>Draws an image into a tile.</summary>
    public void Draw(int row, int column, RgbImage image)
    {
        byte[] rgba = new byte[4 * image.Width * image.Height];
        for (int pixel = 0; pixel < rgba.Length / 4; pixel++)
        {
            image.Pixels.AsSpan(3 * pixel, 3).CopyTo(rgba.AsSpan(4 * pixel));
            rgba[4 * pixel + 3] = 255;
        }
        Draw(row, column, image.Width, image.Height, rgba, SKFilterMode.Linear);
    }

    /// <summary>Draws width · height pixels of four bytes, R, G, B and unmultiplied alpha, over what the tile holds.</summary>
    public void Draw(int row, int column, int width, int height, byte[] rgba, SKFilterMode filter)
    {
        using var picture = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), rgba);
        float left = Gap + column * (Tile + Gap), top = Gap + row * (Tile + Gap);
        surface.Canvas.DrawImage(picture, new SKRect(left, top, left + Tile, top + Tile), new SKSamplingOptions(filter));
    }

    public void Write(string path) => PictureFile.Write(path, surface);

    public void Dispose() => surface.Dispose();
}
