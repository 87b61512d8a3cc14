using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>Shorter ways to draw.</summary>
internal static class DrawingExtensions
{
    public static void Line(this IDrawing drawing, float x1, float y1, float x2, float y2, Ink ink, float thickness = 1) =>
        drawing.Line([new(x1, y1), new(x2, y2)], ink, thickness);

    /// <summary>The corners of a mark that has some; none for a disc.</summary>
    public static SKPoint[] Corners(this Mark mark, float x, float y, float radius) => mark switch
    {
        Mark.Square => [new(x - 0.85f * radius, y - 0.85f * radius), new(x + 0.85f * radius, y - 0.85f * radius), new(x + 0.85f * radius, y + 0.85f * radius),
            new(x - 0.85f * radius, y + 0.85f * radius)],
        Mark.Triangle => [new(x, y - 1.1f * radius), new(x + 1.1f * radius, y + 0.9f * radius), new(x - 1.1f * radius, y + 0.9f * radius)],
        Mark.Diamond => [new(x, y - 1.2f * radius), new(x + 1.2f * radius, y), new(x, y + 1.2f * radius), new(x - 1.2f * radius, y)],
        _ => [],
    };

    /// <summary>Draws the four sides of a box.</summary>
    public static void Frame(this IDrawing drawing, SKRect box, Ink ink) => drawing.Line(
        [new(box.Left, box.Top), new(box.Right, box.Top), new(box.Right, box.Bottom), new(box.Left, box.Bottom), new(box.Left, box.Top)], ink, 1);
}
