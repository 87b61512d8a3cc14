using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>Where a plot is drawn: a picture of pixels or an SVG. Lengths are in pixels, from the upper left.</summary>
internal interface IDrawing
{
    /// <summary>Draws lines from point to point.</summary>
    void Line(ReadOnlySpan<SKPoint> points, Ink ink, float thickness);

    /// <summary>Draws a point.</summary>
    /// <param name="x">Its middle.</param>
    /// <param name="y">Its middle.</param>
    /// <param name="radius">Half of its width.</param>
    /// <param name="ink">Its colour.</param>
    /// <param name="mark">Its shape.</param>
    /// <param name="title">What the point stands for, told where a pointer rests on it; null for nothing.</param>
    void Dot(float x, float y, float radius, Ink ink, Mark mark = Mark.Disc, string? title = null);

    /// <summary>Fills a box.</summary>
    void Fill(SKRect box, Ink ink);

    /// <summary>Writes a line of text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="x">Where it begins, has its middle, or ends.</param>
    /// <param name="baseline">Its base line.</param>
    /// <param name="align">What of it lies at <paramref name="x"/>.</param>
    /// <param name="ink">Its colour; null for that of text.</param>
    /// <param name="degrees">By how much it is turned clockwise about (x, baseline).</param>
    void Text(string text, float x, float baseline, SKTextAlign align = SKTextAlign.Left, Ink? ink = null, float degrees = 0);
}
