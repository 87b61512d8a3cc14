using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>Masks over a few images.</summary>
internal static class MasksSection
{
    public const string Title = "Masks";

    /// <param name="shown">The images.</param>
    /// <param name="source">What their masks are of.</param>
    public static ReportSection Of(IReadOnlyList<ShownImage> shown, string source)
    {
        if (shown.Any(s => s.Masks is null)) return ReportSection.LeftOut(Title, $"--masks is {source}.");
        string finder = source == MaskInput.Segment ? "the built-in segmenter" : source;
        var tiles = shown.Select(s => MaskTile.Draw(s.Image, s.Masks!)).ToList();
        return new(Title,
        [
            new PictureGrid("masks", $"Masks of {finder}: each pixel has the colour of the smallest mask over it.",
                [.. shown.Select(s => s.Title)],
                [
                    ("image", [.. shown.Zip(tiles, (s, tile) => new PictureCell(tile.Image, s.Name))]),
                    ("masks", [.. shown.Zip(tiles, (s, tile) =>
                        new PictureCell(tile.Masked, $"{s.Name} with its masks", Count(s.Masks!.Count)))]),
                ]),
        ]);
    }

    private static string Count(int masks) => masks == 1 ? "1 mask" : $"{Numbers.Text(masks)} masks";
}
