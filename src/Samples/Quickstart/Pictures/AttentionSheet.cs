using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>Shows where the class token looks: a row per image, the image first and then a map per head.</summary>
internal static class AttentionSheet
{
    public static void Write(string path, IReadOnlyList<AttentionMap> maps)
    {
        using var sheet = new TileSheet(maps.Count, columns: 1 + maps.Max(m => m.Heads.Count));
        for (int row = 0; row < maps.Count; row++)
        {
            var seen = maps[row].Seen;
            int scale = TileSheet.ScaleOf(seen);
            sheet.Draw(row, 0, MaskTile.Plain(seen, scale));
            for (int head = 0; head < maps[row].Heads.Count; head++) sheet.Draw(row, 1 + head, maps[row].ToPng(head, scale));
        }
        sheet.Write(path);
    }
}
