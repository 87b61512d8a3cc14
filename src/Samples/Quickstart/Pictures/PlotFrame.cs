using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>A box with ticks and labels on its sides, and lines in it.</summary>
internal sealed class PlotFrame : IDisposable
{
    private const float Left = 70, Right = 24, Top = 64, Bottom = 52, Tick = 5;
    private const int Intervals = 5;                    // about as many between ticks

    private readonly SKCanvas canvas;
    private readonly SKRect box;
    private readonly (double Least, double Most) xs, ys;
    private readonly PlotText text;
    private readonly SKPaint axis = new() { Color = SKColors.Black, IsStroke = true, StrokeWidth = 1 };
    private readonly SKPaint grid = new() { Color = new SKColor(0xE4, 0xE4, 0xE4), IsStroke = true, StrokeWidth = 1 };

    /// <param name="canvas">Where to draw.</param>
    /// <param name="panel">The whole picture, labels included.</param>
    /// <param name="xs">What the lower side spans.</param>
    /// <param name="ys">What must fit between the lower and the upper side.</param>
    public PlotFrame(SKCanvas canvas, SKRect panel, (double Least, double Most) xs, (double Least, double Most) ys)
    {
        (this.canvas, text) = (canvas, new PlotText(canvas));
        box = new SKRect(panel.Left + Left, panel.Top + Top, panel.Right - Right, panel.Bottom - Bottom);
        double margin = Math.Max(0.05 * (ys.Most - ys.Least), 1e-3);
        (this.xs, this.ys) = ((xs.Least, Math.Max(xs.Most, xs.Least + 1)), (ys.Least - margin, ys.Most + margin));
    }

    /// <summary>Marks round numbers along the lower side.</summary>
    public void DrawSteps()
    {
        foreach (var (value, label) in RoundNumbers(xs, smallestStep: 1))
        {
            canvas.DrawLine(X(value), box.Bottom, X(value), box.Bottom + Tick, axis);
            text.Draw(label, X(value), box.Bottom + 20, SKTextAlign.Center);
        }
    }

    /// <summary>Marks round numbers along the left side, with lines across the box.</summary>
    public void DrawValues()
    {
        foreach (var (value, label) in RoundNumbers(ys, smallestStep: 1e-4))
        {
            canvas.DrawLine(box.Left, Y(value), box.Right, Y(value), grid);
            canvas.DrawLine(box.Left - Tick, Y(value), box.Left, Y(value), axis);
            text.Draw(label, box.Left - 10, Y(value) + 5, SKTextAlign.Right);
        }
        canvas.DrawRect(box, axis);
    }

    /// <summary>Marks a place along the upper side.</summary>
    public void MarkTop(double x, string label)
    {
        canvas.DrawLine(X(x), box.Top - Tick, X(x), box.Top, axis);
        text.Draw(label, X(x), box.Top - 9, SKTextAlign.Center);
    }

    /// <summary>Names the plot and what its upper and lower sides count.</summary>
    public void Title(string title, string top, string bottom)
    {
        text.Draw(title, box.MidX, box.Top - 40, SKTextAlign.Center);
        text.Draw(top, box.Left - 10, box.Top - 9, SKTextAlign.Right);
        text.Draw(bottom, box.Left - 10, box.Bottom + 20, SKTextAlign.Right);
    }

    /// <summary>Draws a line through points.</summary>
    public void DrawLine(double[] x, double[] y, SKColor color, float thickness)
    {
        using var path = new SKPath();
        path.AddPoly([.. x.Zip(y, (a, b) => new SKPoint(X(a), Y(b)))], close: false);
        using var paint = new SKPaint { Color = color, IsStroke = true, StrokeWidth = thickness, IsAntialias = true };
        canvas.DrawPath(path, paint);
        if (x.Length == 1) canvas.DrawCircle(X(x[0]), Y(y[0]), 2, paint);
    }

    public void Dispose()
    {
        text.Dispose();
        axis.Dispose();
        grid.Dispose();
    }

    private float X(double value) => (float)(box.Left + (value - xs.Least) / (xs.Most - xs.Least) * box.Width);

    private float Y(double value) => (float)(box.Bottom - (value - ys.Least) / (ys.Most - ys.Least) * box.Height);

    // Multiples of 1, 2 or 5 times a power of ten.
    private static IEnumerable<(double Value, string Label)> RoundNumbers((double Least, double Most) range, double smallestStep)
    {
        double rough = Math.Max((range.Most - range.Least) / Intervals, smallestStep), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { <= 1.001 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        for (double n = Math.Ceiling(range.Least / step); n * step <= range.Most; n++)
            yield return (n * step, FormattableString.Invariant($"{Math.Round(n * step, 6)}"));
    }
}
