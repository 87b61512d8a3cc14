using MaskBias.MLNet.Images;
using ScottPlot.Colormaps;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows where the class token looks: a row per image, the image first and then a map per head.</summary>
internal static class AttentionSheet
{
    /// <summary>Writes the sheet.</summary>
    /// <param name="path">The PNG to write.</param>
    /// <param name="samples">Images with their class token's attention to the patches: a map per head, grid · grid values by row.</param>
    /// <param name="grid">Patches along a side.</param>
    public static void Write(string path, IReadOnlyList<(RgbImage Image, IReadOnlyList<float[]> Heads)> samples, int grid)
    {
        using var sheet = new TileSheet(Math.Max(1, samples.Count), 1 + samples.Select(s => s.Heads.Count).DefaultIfEmpty(0).Max());
        for (int row = 0; row < samples.Count; row++)
        {
            sheet.Draw(row, 0, samples[row].Image);
            for (int head = 0; head < samples[row].Heads.Count; head++)
                sheet.Draw(row, 1 + head, grid, grid, Heat(samples[row].Heads[head], grid), SKFilterMode.Nearest);
        }
        sheet.Write(path);
    }

    // Each map from its own least to its own most: what counts is where a head looks, not how much.
    private static byte[] Heat(float[] attention, int grid)
    {
        if (attention.Length != grid * grid)
            throw new ArgumentException($"An attention map has {attention.Length} values; {grid}x{grid} patches have {grid * grid}.");
        var colors = new Viridis();
        float least = attention.Min(), span = Math.Max(attention.Max() - least, 1e-12f);
        byte[] rgba = new byte[4 * attention.Length];
        for (int patch = 0; patch < attention.Length; patch++)
        {
            var color = colors.GetColor((attention[patch] - least) / span);
            (rgba[4 * patch], rgba[4 * patch + 1], rgba[4 * patch + 2], rgba[4 * patch + 3]) = (color.R, color.G, color.B, 255);
        }
        return rgba;
    }
}
