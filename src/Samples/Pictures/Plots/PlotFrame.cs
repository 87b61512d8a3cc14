using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>A box with ticks and labels on its sides, and lines and points in it.</summary>
internal sealed class PlotFrame
{
    private const float Left = 76, Right = 24, Top = 64, Bottom = 52, Tick = 5;
    private const int Intervals = 5;                    // about as many between ticks

    private readonly IDrawing drawing;
    private readonly SKRect box;
    private readonly (double Least, double Most) xs, ys;

    /// <param name="drawing">Where to draw.</param>
    /// <param name="panel">The whole picture, labels included.</param>
    /// <param name="xs">What the lower side spans.</param>
    /// <param name="ys">What must fit between the lower and the upper side.</param>
    public PlotFrame(IDrawing drawing, SKRect panel, (double Least, double Most) xs, (double Least, double Most) ys)
    {
        this.drawing = drawing;
        box = new SKRect(panel.Left + Left, panel.Top + Top, panel.Right - Right, panel.Bottom - Bottom);
        double range = ys.Most - ys.Least;
        // What hardly changes is not blown up until its noise fills the box.
        double margin = Math.Max(0.05 * range, range > 0 ? 1e-6 * Math.Abs(ys.Most) : Math.Max(0.05 * Math.Abs(ys.Most), 1e-3));
        (this.xs, this.ys) = ((xs.Least, xs.Most > xs.Least ? xs.Most : xs.Least + 1), (ys.Least - margin, ys.Most + margin));
    }

    /// <summary>Marks round numbers along the lower side.</summary>
    /// <param name="smallestStep">The smallest distance of two marks: 1 for whole numbers.</param>
    public void DrawSteps(double smallestStep = 1)
    {
        foreach (var (value, label) in RoundNumbers(xs, smallestStep)) MarkBottom(value, label);
    }

    /// <summary>Marks a place along the lower side.</summary>
    public void MarkBottom(double x, string label)
    {
        drawing.Line(X(x), box.Bottom, X(x), box.Bottom + Tick, Ink.Axis);
        drawing.Text(label, X(x), box.Bottom + 20, SKTextAlign.Center);
    }

    /// <summary>Marks a place along the left side.</summary>
    public void MarkLeft(double y, string label)
    {
        drawing.Line(box.Left - Tick, Y(y), box.Left, Y(y), Ink.Axis);
        drawing.Text(label, box.Left - 10, Y(y) + 5, SKTextAlign.Right);
    }

    /// <summary>Marks round numbers along the left side, with lines across the box.</summary>
    public void DrawValues()
    {
        foreach (var (value, label) in RoundNumbers(ys, smallestStep: 0))
        {
            drawing.Line(box.Left, Y(value), box.Right, Y(value), Ink.Grid);
            drawing.Line(box.Left - Tick, Y(value), box.Left, Y(value), Ink.Axis);
            drawing.Text(label, box.Left - 10, Y(value) + 5, SKTextAlign.Right);
        }
        Outline();
    }

    /// <summary>Draws the box alone.</summary>
    public void Outline() => drawing.Frame(box, Ink.Axis);

    /// <summary>Marks a place along the upper side.</summary>
    public void MarkTop(double x, string label)
    {
        drawing.Line(X(x), box.Top - Tick, X(x), box.Top, Ink.Axis);
        drawing.Text(label, X(x), box.Top - 9, SKTextAlign.Center);
    }

    /// <summary>Marks about ten of the epochs along the upper side.</summary>
    /// <param name="epochs">How many there are.</param>
    /// <param name="steps">The steps of one, as the lower side counts them.</param>
    public void MarkEpochs(int epochs, double steps)
    {
        int every = Math.Max(1, (int)Math.Ceiling(epochs / 10.0));
        for (int e = every; e <= epochs; e += every) MarkTop(e * steps, FormattableString.Invariant($"{e}"));
    }

    /// <summary>Names the plot and what its upper and lower sides count.</summary>
    public void Title(string title, string top, string bottom)
    {
        drawing.Text(title, box.MidX, box.Top - 40, SKTextAlign.Center);
        drawing.Text(top, box.Left - 10, box.Top - 9, SKTextAlign.Right);
        drawing.Text(bottom, box.Left - 10, box.Bottom + 20, SKTextAlign.Right);
    }

    /// <summary>Names what the lower side counts, below its marks.</summary>
    public void NameBelow(string name) => drawing.Text(name, box.MidX, box.Bottom + 42, SKTextAlign.Center);

    /// <summary>Draws a line through points; a point alone is a dot.</summary>
    public void DrawLine(IReadOnlyList<double> x, IReadOnlyList<double> y, Ink ink, float thickness)
    {
        if (x.Count > 1) drawing.Line([.. x.Zip(y, (a, b) => new SKPoint(X(a), Y(b)))], ink, thickness);
        else if (x.Count == 1) DrawPoint(x[0], y[0], ink, radius: 2);
    }

    /// <summary>Draws a point.</summary>
    public void DrawPoint(double x, double y, Ink ink, float radius, Mark mark = Mark.Disc, string? title = null) =>
        drawing.Dot(X(x), Y(y), radius, ink, mark, title);

    private float X(double value) => (float)(box.Left + (value - xs.Least) / (xs.Most - xs.Least) * box.Width);

    private float Y(double value) => (float)(box.Bottom - (value - ys.Least) / (ys.Most - ys.Least) * box.Height);

    // Multiples of 1, 2 or 5 times a power of ten.
    private static IEnumerable<(double Value, string Label)> RoundNumbers((double Least, double Most) range, double smallestStep)
    {
        double rough = Math.Max((range.Most - range.Least) / Intervals, smallestStep), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { <= 1.001 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        for (double n = Math.Ceiling(range.Least / step); n * step <= range.Most; n++) yield return (n * step, Label(n * step, step));
    }

    // As many figures as tell two marks apart.
    private static string Label(double value, double step)
    {
        if (value == 0) return "0";
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step)), 0, 12);
        if (Math.Abs(value) is >= 1e-3 and < 1e6) return FormattableString.Invariant($"{Math.Round(value, decimals)}");
        return FormattableString.Invariant($"{value:0.##e0}");
    }
}
