using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Differences as dots with their intervals: a line for each pair, a box for each measure, coloured where the interval leaves 0 out.</summary>
internal sealed record IntervalsPlot : IPlot
{
    private const int Row = 26, BoxWidth = 220, Gap = 36, Letter = 8;
    private const int Sides = 100, Left = 76, Heights = 116;         // what a frame needs beside its box; in Left the names end

    public required string Title { get; init; }

    /// <summary>The boxes, from left to right.</summary>
    public required IReadOnlyList<string> Measures { get; init; }

    /// <summary>The lines, from above: a name, and a value with the ends of its interval for each box, or null.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<(double Value, double Low, double High)?> Values)> Rows { get; init; }

    private int Names => Math.Max(Letter * Rows.Max(r => r.Name.Length), Left);

    public SKSizeI Size => new(Names - Left + Measures.Count * (BoxWidth + Gap) - Gap + Sides + Letter, Heights + 24 + Row * Rows.Count);

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var all = Rows.SelectMany(r => r.Values).OfType<(double Value, double Low, double High)>().SelectMany(v => new[] { v.Low, v.High })
            .Append(0).ToList();
        double margin = 0.05 * (all.Max() - all.Min());
        drawing.Text(Title, panel.Left + Letter, panel.Top + 24, SKTextAlign.Left);
        for (int m = 0; m < Measures.Count; m++)
        {
            float left = panel.Left + Names - Left + Letter + m * (BoxWidth + Gap);
            var frame = new PlotFrame(drawing, new SKRect(left, panel.Top + 24, left + BoxWidth + Sides, panel.Bottom),
                (all.Min() - margin, all.Max() + margin), (0, Rows.Count));
            frame.Title(Measures[m], "", "");
            frame.Outline();
            frame.DrawSteps(smallestStep: 0);
            frame.DrawLine([0, 0], [0, Rows.Count], Ink.Axis, thickness: 1);
            for (int r = 0; r < Rows.Count; r++)
            {
                double y = Rows.Count - r - 0.5;
                if (m == 0) frame.MarkLeft(y, Rows[r].Name);
                if (Rows[r].Values[m] is not var (value, low, high)) continue;
                var ink = low > 0 || high < 0 ? Ink.Series(0) : Ink.Text;
                frame.DrawLine([low, high], [y, y], ink, thickness: 2);
                frame.DrawPoint(value, y, ink, radius: 4.5f);
            }
        }
    }
}
