using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;
using SkiaSharp;

namespace MaskBias.MLNet.Benchmarks.Scale;

/// <summary>What training costs, over four things that it grows with.</summary>
internal sealed record ScalePlot : IPlot
{
    private const int PanelWidth = 620, PanelHeight = 340;

    /// <summary>Seconds of an epoch by the images.</summary>
    public required IReadOnlyList<(double X, double Y)> Images { get; init; }

    /// <summary>Milliseconds of an image by its tokens.</summary>
    public required IReadOnlyList<(double X, double Y)> Tokens { get; init; }

    /// <summary>Milliseconds of an image by its masks.</summary>
    public required IReadOnlyList<(double X, double Y)> Masks { get; init; }

    /// <summary>Milliseconds of an image by the images of a batch.</summary>
    public required IReadOnlyList<(double X, double Y)> Batch { get; init; }

    public SKSizeI Size => new(2 * PanelWidth, 2 * PanelHeight);

    public void Draw(IDrawing drawing, SKRect panel)
    {
        DrawPanel(0, 0, "A whole Fit: an epoch by its images", "images", "s an epoch", Images);
        DrawPanel(1, 0, "A training pass of ViT-Ti/16 by tokens", "tokens of an image", "ms an image", Tokens);
        DrawPanel(0, 1, "The same by masks, 196 tokens", "masks of an image", "ms an image", Masks);
        DrawPanel(1, 1, "The same by the batch, 36 tokens", "images of a batch", "ms an image", Batch);

        void DrawPanel(int column, int row, string title, string x, string y, IReadOnlyList<(double X, double Y)> points)
        {
            var line = new PlotLine(y, Ink.Series(0), [.. points.Select(p => p.X)], [.. points.Select(p => p.Y)]);
            var place = SKRect.Create(panel.Left + column * PanelWidth, panel.Top + row * PanelHeight, PanelWidth, PanelHeight);
            new LinesPlot { Title = title, XName = x, Lines = [line], BeginsAtZero = true }.Draw(drawing, place);
        }
    }
}
