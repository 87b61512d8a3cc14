using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Groups of bars from 0, each with an interval, and a legend.</summary>
internal sealed record BarsPlot : IPlot
{
    private const int LegendWidth = 280, Sides = 100, Bar = 14, Letter = 9;     // Sides: what the frame needs beside its box
    private const double Gap = 2;                       // between groups, in bars

    public required string Title { get; init; }

    /// <summary>What each colour stands for.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>A name for each group, and its bars: at most one per series, with the ends of its interval.</summary>
    public required IReadOnlyList<(string Name,
        IReadOnlyList<(int Series, double Value, double Low, double High)> Bars)> Groups { get; init; }

    public SKSizeI Size => new(LegendWidth + Sides + (int)Math.Ceiling(Bar * Groups.Sum(Width)),
        Math.Max(360, 64 + Legend.Height(Series.Count)));

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var all = Groups.SelectMany(g => g.Bars).SelectMany(b => new[] { b.Low, b.High, b.Value }).Append(0).ToList();
        double places = Groups.Sum(Width), left = 0;
        var frame = new PlotFrame(drawing, new SKRect(panel.Left, panel.Top, panel.Right - LegendWidth, panel.Bottom), (0, places),
            (all.Min(), all.Max()));
        frame.DrawValues();
        frame.Title(Title, "", "");
        frame.DrawLine([0, places], [0, 0], Ink.Axis, thickness: 1);
        foreach (var group in Groups)
        {
            double middle = left + Width(group) / 2, x = middle - (group.Bars.Count - 1) / 2.0;
            frame.MarkBottom(middle, group.Name);
            foreach (var (series, value, low, high) in group.Bars)
            {
                frame.DrawLine([x, x], [0, value], Ink.Series(series), thickness: Bar - 3);
                frame.DrawLine([x, x], [low, high], Ink.Text, thickness: 1.5f);
                foreach (double end in new[] { low, high }) frame.DrawLine([x - 0.25, x + 0.25], [end, end], Ink.Text, thickness: 1.5f);
                x++;
            }
            left += Width(group);
        }
        Legend.Draw(drawing, panel.Right - LegendWidth + 8, panel.Top + 64,
            [.. Series.Select((name, i) => (name, Ink.Series(i), Mark.Square))]);
    }

    // In bars: what the bars need, or the name.
    private static double Width((string Name, IReadOnlyList<(int, double, double, double)> Bars) group) =>
        Math.Max(group.Bars.Count, (double)Letter * group.Name.Length / Bar) + Gap;
}
