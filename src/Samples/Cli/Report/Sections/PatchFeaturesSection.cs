using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>
/// The patches' features as colours: patches of like features have like colours (as Oquab et al., TMLR 2024, show DINOv2's).
/// </summary>
internal static class PatchFeaturesSection
{
    public const string Title = "Features of patches";

    private const double Outer = 0.02;                  // the share of values at either end that a colour does not tell apart

    public static ReportSection Of(string encoderName, VisionEncoder encoder, IReadOnlyList<ShownImage> shown)
    {
        float[][][] features = [.. shown.Select(s => PatchFeatures.Of(encoder, s.Attention.Seen))];
        int grid = shown[0].Attention.GridSize, scale = TileSheet.ScaleOf(shown[0].Attention.Seen), side = encoder.ImageSize * scale;
        var rows = new List<(string, IReadOnlyList<PictureCell>)>
        {
            ("image", [.. shown.Select(s => new PictureCell(MaskTile.Plain(s.Attention.Seen, scale), s.Name))]),
            ("patches", Pictures(features, "")),
        };
        if (shown.Count > 1) rows.Add(("without the place", Pictures(PatchFeatures.WithoutPlace(features), " without their place")));
        return new(Title,
        [
            new PictureGrid("patch-features",
                $"{encoderName}: the first three principal components of the patches' features, taken over these images together, as red, "
                + "green and blue. In the last row the mean of all these images at the same place is taken off first.",
                [.. shown.Select(s => s.Title)], rows),
        ]);

        IReadOnlyList<PictureCell> Pictures(float[][][] images, string which)
        {
            byte[][] colors = Colors(PrincipalComponents.Of([.. images.SelectMany(patches => patches)], 3));
            return [.. shown.Select((s, i) => new PictureCell(
                Enlarge(colors.AsSpan(i * grid * grid, grid * grid), grid, side).ToPng(),
                $"{s.Name}: features of its patches{which} as colours"))];
        }
    }

    private static byte[][] Colors(float[][] components)
    {
        var ranges = Enumerable.Range(0, 3).Select(channel =>
        {
            float[] sorted = [.. components.Select(c => c[channel]).Order()];
            int outer = (int)(Outer * (sorted.Length - 1));
            return (Least: sorted[outer], Most: sorted[sorted.Length - 1 - outer]);
        }).ToArray();
        return [.. components.Select(c => c.Select((value, channel) =>
        {
            var (least, most) = ranges[channel];
            return most > least ? (byte)Math.Clamp(255 * (value - least) / (most - least), 0, 255) : (byte)128;
        }).ToArray())];
    }

    // Blocks of one colour, without a blur that no patch has.
    private static RgbImage Enlarge(ReadOnlySpan<byte[]> colors, int grid, int side)
    {
        byte[] pixels = new byte[3 * side * side];
        for (int y = 0; y < side; y++)
        {
            for (int x = 0; x < side; x++) colors[y * grid / side * grid + x * grid / side].CopyTo(pixels, 3 * (y * side + x));
        }
        return new(side, side, pixels);
    }
}
