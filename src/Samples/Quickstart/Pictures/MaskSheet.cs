using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows images beside the masks that a segmenter found in them.</summary>
internal static class MaskSheet
{
    /// <summary>Writes a sheet with a column per image: the image above, below it the same with its masks.</summary>
    public static void Write(string path, IReadOnlyList<(RgbImage Image, MaskSet Masks)> samples)
    {
        using var sheet = new TileSheet(rows: 2, columns: samples.Count);
        for (int column = 0; column < samples.Count; column++)
        {
            var (image, masks) = samples[column];
            int scale = TileSheet.ScaleOf(image);
            sheet.Draw(0, column, MaskPictures.OverlayPng(image, MaskSet.Empty(image.Height, image.Width), scale));
            sheet.Draw(1, column, MaskPictures.OverlayPng(image, masks, scale));
        }
        sheet.Write(path);
    }
}
