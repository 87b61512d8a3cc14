using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows images beside the masks that a segmenter found in them.</summary>
internal static class MaskOverlay
{
    private const byte FillAlpha = 150;

    /// <summary>Writes a sheet with a column per image: the image above, its masks in different colours over it below.</summary>
    /// <param name="path">The PNG to write.</param>
    /// <param name="samples">Images, and for each its masks: height · width bytes, 0 outside and anything else inside.</param>
    public static void Write(string path, IReadOnlyList<(RgbImage Image, IReadOnlyList<byte[]> Masks)> samples)
    {
        using var sheet = new TileSheet(rows: 2, Math.Max(1, samples.Count));
        for (int column = 0; column < samples.Count; column++)
        {
            var (image, masks) = samples[column];
            sheet.Draw(0, column, image);
            sheet.Draw(1, column, image);
            sheet.Draw(1, column, image.Width, image.Height, Paint(image, masks), SKFilterMode.Nearest);
        }
        sheet.Write(path);
    }

    // Large masks first, so that the parts nested in them stay visible.
    private static byte[] Paint(RgbImage image, IReadOnlyList<byte[]> masks)
    {
        byte[] rgba = new byte[4 * image.Width * image.Height];
        var bySize = masks.OrderByDescending(mask => mask.Count(inside => inside != 0)).ToList();
        for (int k = 0; k < bySize.Count; k++)
        {
            if (bySize[k].Length != image.Width * image.Height)
                throw new ArgumentException($"A mask has {bySize[k].Length} pixels; its image has {image.Width}x{image.Height}.");
            var color = SKColor.FromHsv(k * 137.5f % 360, 85, 95);              // the golden angle keeps neighbours apart
            for (int pixel = 0; pixel < bySize[k].Length; pixel++)
            {
                if (bySize[k][pixel] == 0) continue;
                ReadOnlySpan<byte> fill = [color.Red, color.Green, color.Blue, FillAlpha];
                fill.CopyTo(rgba.AsSpan(4 * pixel));
            }
        }
        return rgba;
    }
}
