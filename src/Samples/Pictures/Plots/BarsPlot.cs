using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Groups of bars from 0, each with an interval, and a legend.</summary>
internal sealed record BarsPlot : IPlot
{
    private const int LegendWidth = 230, LabelWidth = 76, Group = 40, Bar = 14, Least = 420;
    private const double Gap = 1.5;                     // between groups, in bars

    public required string Title { get; init; }

    /// <summary>What each colour stands for.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>A name for each group, and its bars: at most one per series, with the ends of its interval.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<(int Series, double Value, double Low, double High)> Bars)> Groups { get; init; }

    public SKSizeI Size => new(
        LegendWidth + LabelWidth + Math.Max(Least, Groups.Sum(g => Group + Bar * g.Bars.Count)), Math.Max(360, 64 + Legend.Height(Series.Count)));

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var all = Groups.SelectMany(g => g.Bars).SelectMany(b => new[] { b.Low, b.High, b.Value }).Append(0).ToList();
        double places = Groups.Sum(g => g.Bars.Count + Gap);
        var frame = new PlotFrame(drawing, new SKRect(panel.Left, panel.Top, panel.Right - LegendWidth, panel.Bottom), (0, places), (all.Min(), all.Max()));
        frame.DrawValues();
        frame.Title(Title, "", "");
        frame.DrawLine([0, places], [0, 0], Ink.Axis, thickness: 1);
        double x = (Gap + 1) / 2;
        foreach (var (name, bars) in Groups)
        {
            frame.MarkBottom(x + (bars.Count - 1) / 2.0, name);
            foreach (var (series, value, low, high) in bars)
            {
                frame.DrawLine([x, x], [0, value], Ink.Series(series), thickness: Bar - 3);
                frame.DrawLine([x, x], [low, high], Ink.Text, thickness: 1.5f);
                foreach (double end in new[] { low, high }) frame.DrawLine([x - 0.25, x + 0.25], [end, end], Ink.Text, thickness: 1.5f);
                x++;
            }
            x += Gap;
        }
        Legend.Draw(drawing, panel.Right - LegendWidth + 8, panel.Top + 64, [.. Series.Select((name, i) => (name, Ink.Series(i), Mark.Square))]);
    }
}
