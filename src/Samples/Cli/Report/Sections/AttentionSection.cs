using MaskBias.MLNet.Embeddings;
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

    public static ReportSection Of(string encoderName, VisionEncoder encoder, IReadOnlyList<(LabelledImage File, AttentionMap Map)> maps)
    {
        int heads = Math.Min(MostHeads, maps[0].Map.Heads.Count);
        int scale = TileSheet.ScaleOf(maps[0].Map.Seen);
        string[] columns = ["image", .. Enumerable.Range(0, heads).Select(head => $"head {Numbers.Text(head)}"), .. heads > 1 ? new[] { "mean" } : []];
        var rows = maps.Select(m => (m.File.Name, (IReadOnlyList<PictureCell>)
        [
            new PictureCell(MaskTile.Plain(m.Map.Seen, scale), m.File.Name),
            .. Enumerable.Range(0, heads).Select(head => new PictureCell(m.Map.ToPng(head, scale), $"{m.File.Name}: attention of head {Numbers.Text(head)}")),
            .. heads > 1 ? new[] { new PictureCell(m.Map.ToPng(null, scale), $"{m.File.Name}: mean attention of the heads") } : [],
        ]));
        string which = heads < maps[0].Map.Heads.Count ? $" The first {heads} of {maps[0].Map.Heads.Count} heads." : "";
        string guided = encoder.Model.IsMaskGuided ? " The encoder is guided by masks; here it sees the images without them." : "";
        string caption = $"{encoderName}: attention of the class token to the patches in the last block, from dark blue (least) to yellow (most).{which}{guided}";
        return new(Title, [new PictureGrid("attention", caption, columns, [.. rows])]);
    }
}
