using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Points of several classes in a plane whose directions mean nothing.</summary>
internal sealed record ScatterPlot : IPlot
{
    private const int Side = 640, LegendWidth = 200;

    public required string Title { get; init; }

    /// <summary>The points, at least one, each with its class (0 where there are none) and what it stands for.</summary>
    public required IReadOnlyList<(double X, double Y, int Class, string Name)> Points { get; init; }

    /// <summary>Names of the classes; empty for points without.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    public SKSizeI Size => new(Side + (Classes.Count > 0 ? LegendWidth : 0), Side);

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var frame = new PlotFrame(drawing, SKRect.Create(panel.Left, panel.Top, Side, Side),
            Widened(Points.Select(p => p.X)), Widened(Points.Select(p => p.Y)));
        frame.Outline();
        frame.Title(Title, "", "");
        float radius = Points.Count > 500 ? 3 : 4.5f;
        foreach (var (x, y, c, name) in Points) frame.DrawPoint(x, y, Ink.Series(c), radius, MarkExtensions.Of(c), name);
        if (Classes.Count > 0)
            Legend.Draw(drawing, panel.Left + Side, panel.Top + 64, [.. Classes.Select(Entry)]);

        static (string, Ink, Mark) Entry(string name, int c) => (name, Ink.Series(c), MarkExtensions.Of(c));
    }

    private static (double Least, double Most) Widened(IEnumerable<double> values)
    {
        var (least, most) = (values.Min(), values.Max());
        return (least - 0.03 * (most - least), most + 0.03 * (most - least));
    }
}
