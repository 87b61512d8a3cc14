using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows images beside the masks that a segmenter found in them.</summary>
internal static class MaskSheet
{
    private const int MaxSide = 512;

    /// <summary>Writes a sheet with a column per image: the image above, below it the same with its masks.</summary>
    public static void Write(string path, IReadOnlyList<(RgbImage Image, MaskSet Masks)> samples)
    {
        using var sheet = new TileSheet(rows: 2, columns: samples.Count);
        for (int column = 0; column < samples.Count; column++)
        {
            var (image, masks) = Reduced(samples[column].Image, samples[column].Masks);
            int scale = TileSheet.ScaleOf(image);
            sheet.Draw(0, column, MaskPictures.OverlayPng(image, MaskSet.Empty(image.Height, image.Width), scale));
            sheet.Draw(1, column, MaskPictures.OverlayPng(image, masks, scale));
        }
        sheet.Write(path);
    }

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
