using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Pictures;

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
            var (image, masked) = MaskTile.Draw(samples[column].Image, samples[column].Masks);
            sheet.Draw(0, column, image);
            sheet.Draw(1, column, masked);
        }
        sheet.Write(path);
    }
}
