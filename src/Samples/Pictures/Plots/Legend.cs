using MaskBias.MLNet.Samples.Pictures.Drawing;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>What the colours of a plot stand for.</summary>
internal static class Legend
{
    private const int Row = 20, Most = 30;

    /// <summary>Pixels of a legend of a number of entries.</summary>
    public static int Height(int entries) => Row * (Math.Min(entries, Most) + 1);

    /// <summary>Draws a point and a name per entry, one below the other, as many as have room.</summary>
    public static void Draw(IDrawing drawing, float left, float top, IReadOnlyList<(string Name, Ink Ink, Mark Mark)> entries)
    {
        for (int i = 0; i < Math.Min(entries.Count, Most); i++)
        {
            drawing.Dot(left + 6, top + i * Row + 6, 5, entries[i].Ink, entries[i].Mark);
            drawing.Text(entries[i].Name, left + 18, top + i * Row + 11);
        }
        if (entries.Count > Most)
            drawing.Text(FormattableString.Invariant($"{entries.Count - Most} more"), left + 18, top + Most * Row + 11);
    }
}
