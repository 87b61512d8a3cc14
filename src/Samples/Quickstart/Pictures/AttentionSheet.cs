using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows where the class token looks: a row per image, the image first and then a map per head.</summary>
internal static class AttentionSheet
{
    /// <summary>Writes the sheet.</summary>
    /// <param name="path">The PNG to write.</param>
    /// <param name="samples">Images with their class token's attention to the patches: a map per head, grid · grid values by row.</param>
    /// <param name="grid">Patches along a side.</param>
    public static void Write(string path, IReadOnlyList<(RgbImage Image, float[][] Heads)> samples, int grid)
    {
        using var sheet = new TileSheet(samples.Count, columns: 1 + samples.Max(s => s.Heads.Length));
        for (int row = 0; row < samples.Count; row++)
        {
            var (image, heads) = samples[row];
            int scale = TileSheet.ScaleOf(image);
            sheet.Draw(row, 0, MaskPictures.OverlayPng(image, MaskSet.Empty(image.Height, image.Width), scale));
            for (int head = 0; head < heads.Length; head++)
                sheet.Draw(row, 1 + head, MaskPictures.HeatMapPng(image, heads[head], grid, grid, scale));
        }
        sheet.Write(path);
    }
}
