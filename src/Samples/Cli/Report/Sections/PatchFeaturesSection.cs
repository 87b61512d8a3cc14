using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>The patches' features as colours: patches of like features have like colours (as Oquab et al., TMLR 2024, show DINOv2's).</summary>
internal static class PatchFeaturesSection
{
    public const string Title = "Features of patches";

    private const double Outer = 0.02;                  // the share of values at either end that a colour does not tell apart

    public static ReportSection Of(string encoderName, VisionEncoder encoder, IReadOnlyList<(LabelledImage File, AttentionMap Map)> maps)
    {
        int patches = maps[0].Map.GridSize * maps[0].Map.GridSize;
        byte[][] colors = Colors(PrincipalComponents.Of([.. maps.SelectMany(m => Patches(encoder, m.Map.Seen))], 3));
        int scale = TileSheet.ScaleOf(maps[0].Map.Seen);
        var pictures = maps.Select((m, i) => Enlarge(colors.AsSpan(i * patches, patches), m.Map.GridSize, m.Map.Seen.Width * scale).ToPng()).ToList();
        return new(Title,
        [
            new PictureGrid("patch-features",
                $"{encoderName}: the first three principal components of the patches' features, taken over these images together, as red, green and blue.",
                [.. maps.Select(m => m.File.Name)],
                [
                    ("image", [.. maps.Select(m => new PictureCell(MaskTile.Plain(m.Map.Seen, scale), m.File.Name))]),
                    ("patches", [.. maps.Zip(pictures, (m, png) => new PictureCell(png, $"{m.File.Name}: features of its patches as colours"))]),
                ]),
        ]);
    }

    // [N] of [D]
    private static float[][] Patches(VisionEncoder encoder, RgbImage seen)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var pixels = tensor(seen.Pixels).view(seen.Height, seen.Width, 3).permute(2, 0, 1).unsqueeze(0).to_type(ScalarType.Float32);
        var tokens = encoder.Model.ForwardTokens(encoder.Normalize(pixels.to(encoder.Device)));           // [1, 1 + R + N, D]
        return [.. tokens[0, encoder.Model.PrefixTokens..].contiguous().cpu().data<float>().ToArray().Chunk(encoder.FeatureDim)];
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
