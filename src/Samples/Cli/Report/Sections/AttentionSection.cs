using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>Where the class token looks, head by head.</summary>
internal static class AttentionSection
{
    public const string Title = "Attention";

    private const int MostHeads = 12;

    public static ReportSection Of(string encoderName, VisionEncoder encoder, IReadOnlyList<ShownImage> shown)
    {
        int all = shown[0].Attention.Heads.Count, heads = Math.Min(MostHeads, all);
        int scale = TileSheet.ScaleOf(shown[0].Attention.Seen);
        // One head is its own mean.
        int?[] pictures = heads > 1 ? [.. Enumerable.Range(0, heads), null] : [0];
        var rows = shown.Select(s => (s.Title, (IReadOnlyList<PictureCell>)
        [
            new PictureCell(MaskTile.Plain(s.Attention.Seen, scale), s.Name),
            .. pictures.Select(head => new PictureCell(s.Attention.ToPng(head, scale), $"{s.Name}: attention, {Name(head)}")),
        ]));
        string which = heads < all ? $" The first {heads} of {all} heads." : "";
        string guided = encoder.Model.IsMaskGuided ? " The encoder is guided by masks; here it sees the images without them." : "";
        string caption = $"{encoderName}: attention of the class token to the patches in the last block, from dark blue (least) to yellow "
            + $"(most).{which}{guided}";
        return new(Title, [new PictureGrid("attention", caption, ["image", .. pictures.Select(Name)], [.. rows])]);

        static string Name(int? head) => head is { } one ? $"head {Numbers.Text(one)}" : "mean";
    }
}
