using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Several lines over one axis, with a legend.</summary>
internal sealed record LinesPlot : IPlot
{
    private const int LegendWidth = 170;

    public required string Title { get; init; }

    /// <summary>What the lower side counts.</summary>
    public required string XName { get; init; }

    /// <summary>At least one, of at least one point.</summary>
    public required IReadOnlyList<PlotLine> Lines { get; init; }

    /// <summary>Marks along the lower side; null for round numbers.</summary>
    public IReadOnlyList<(double X, string Label)>? Marks { get; init; }

    /// <summary>Whether both axes begin at 0, so that what grows in proportion is seen to.</summary>
    public bool BeginsAtZero { get; init; }

    public SKSizeI Size => new(720, Math.Max(360, 64 + Legend.Height(LegendEntries.Count)));

    private IReadOnlyList<(string, Ink, Mark)> LegendEntries => [.. Lines.Select(line => (line.Name, line.Ink, line.Mark)).Distinct()];

    public void Draw(IDrawing drawing, SKRect panel)
    {
        var all = Lines.SelectMany(line => line.Y).ToList();
        var places = Lines.SelectMany(line => line.X).ToList();
        var frame = new PlotFrame(drawing, new SKRect(panel.Left, panel.Top, panel.Right - LegendWidth, panel.Bottom),
            (BeginsAtZero ? 0 : places.Min(), places.Max()), (BeginsAtZero ? 0 : all.Min(), all.Max()));
        if (Marks is null) frame.DrawSteps();
        else foreach (var (x, label) in Marks) frame.MarkBottom(x, label);
        frame.DrawValues();
        frame.Title(Title, "", "");
        frame.NameBelow(XName);
        foreach (var line in Lines)
        {
            frame.DrawLine(line.X, line.Y, line.Ink, thickness: 2);
            for (int i = 0; i < line.X.Count; i++) frame.DrawPoint(line.X[i], line.Y[i], line.Ink, radius: 3, line.Mark);
        }
        Legend.Draw(drawing, panel.Right - LegendWidth, panel.Top + 64, LegendEntries);
    }
}
