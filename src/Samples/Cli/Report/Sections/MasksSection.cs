using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>Masks over a few images.</summary>
internal static class MasksSection
{
    public const string Title = "Masks";

    public static ReportSection Of(IReadOnlyList<(LabelledImage File, RgbImage Image)> shown, IReadOnlyList<MaskSet> masks, string? path)
    {
        var tiles = shown.Zip(masks, (s, m) => m.Width == s.Image.Width && m.Height == s.Image.Height
            ? MaskTile.Draw(s.Image, m) : throw new InvalidDataException($"{s.File.Path}: its masks are of {m.Width}x{m.Height}, the image is of {s.Image.Width}x{s.Image.Height}."))
            .ToList();
        string source = path is null ? "found by the built-in segmenter" : $"of {path}";
        return new(Title,
        [
            new PictureGrid("masks", $"Masks {source}: each pixel has the colour of the smallest mask over it.", [.. shown.Select(s => s.File.Name)],
            [
                ("image", [.. tiles.Zip(shown, (tile, s) => new PictureCell(tile.Image, s.File.Name))]),
                ("masks", [.. tiles.Zip(shown, (tile, s) => new PictureCell(tile.Masked, $"{s.File.Name} with its masks")).Zip(masks, (cell, m) =>
                    cell with { Caption = m.Count == 1 ? "1 mask" : $"{Numbers.Text(m.Count)} masks" })]),
            ]),
        ]);
    }
}
