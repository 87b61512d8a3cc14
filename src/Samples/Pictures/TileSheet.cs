using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>A picture of equal square tiles in rows and columns; every picture is fitted into its tile.</summary>
internal sealed class TileSheet : IDisposable
{
    /// <summary>Pixels along each side of a tile.</summary>
    public const int Tile = 192;

    private const int Gap = 4;

    private readonly SKSurface surface;

    public TileSheet(int rows, int columns)
    {
        int width = columns * (Tile + Gap) + Gap, height = rows * (Tile + Gap) + Gap;
        surface = SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
    }

    /// <summary>By how much a small image is enlarged so that it fills its tile.</summary>
    public static int ScaleOf(RgbImage image) => Math.Max(1, Tile / Math.Max(image.Width, image.Height));

    /// <summary>Draws a PNG into a tile.</summary>
    public void Draw(int row, int column, byte[] png)
    {
        using var picture = SKBitmap.Decode(png);
        float scale = Math.Min((float)Tile / picture.Width, (float)Tile / picture.Height);
        float width = picture.Width * scale, height = picture.Height * scale;
        float left = Gap + column * (Tile + Gap) + (Tile - width) / 2, top = Gap + row * (Tile + Gap) + (Tile - height) / 2;
        using var paint = new SKPaint { FilterQuality = SKFilterQuality.Medium };
        surface.Canvas.DrawBitmap(picture, SKRect.Create(left, top, width, height), paint);
    }

    public byte[] ToPng() => PictureFile.Png(surface);

    public void Write(string path) => PictureFile.Write(path, surface);

    public void Dispose() => surface.Dispose();
}
