using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>An image, and the same with its masks over it, each about as large as a tile needs.</summary>
internal static class MaskTile
{
    private const int MaxSide = 512;

    /// <summary>Draws both as PNGs.</summary>
    public static (byte[] Image, byte[] Masked) Draw(RgbImage image, MaskSet masks)
    {
        (image, masks) = Reduced(image, masks);
        int scale = TileSheet.ScaleOf(image);
        return (Plain(image, scale), MaskPictures.OverlayPng(image, masks, scale));
    }

    /// <summary>An image enlarged.</summary>
    public static byte[] Plain(RgbImage image, int scale) =>
        MaskPictures.OverlayPng(image, MaskSet.Empty(image.Height, image.Width), scale);

    // A photo has far more pixels than its tile: every n-th row and column will do.
    private static (RgbImage Image, MaskSet Masks) Reduced(RgbImage image, MaskSet masks)
    {
        int n = (Math.Max(image.Width, image.Height) + MaxSide - 1) / MaxSide;
        if (n <= 1) return (image, masks);
        int width = (image.Width + n - 1) / n, height = (image.Height + n - 1) / n;
        int[] kept = [.. Enumerable.Range(0, width * height).Select(i => i / width * n * image.Width + i % width * n)];
        byte[] bitmap = new byte[image.Width * image.Height];
        byte[] bitmaps = new byte[masks.Count * kept.Length];
        for (int k = 0; k < masks.Count; k++)
        {
            masks.CopyTo(k, bitmap);
            for (int i = 0; i < kept.Length; i++) bitmaps[k * kept.Length + i] = bitmap[kept[i]];
        }
        byte[] rgb = [.. kept.SelectMany(pixel => image.Pixels.AsSpan(3 * pixel, 3).ToArray())];
        return (new(height, width, rgb), MaskSet.FromBitmaps(height, width, bitmaps));
    }
}
