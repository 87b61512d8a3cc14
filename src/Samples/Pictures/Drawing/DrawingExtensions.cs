using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>Shorter ways to draw.</summary>
internal static class DrawingExtensions
{
    public static void Line(this IDrawing drawing, float x1, float y1, float x2, float y2, Ink ink, float thickness = 1) =>
        drawing.Line([new(x1, y1), new(x2, y2)], ink, thickness);

    /// <summary>Draws the four sides of a box.</summary>
    public static void Frame(this IDrawing drawing, SKRect box, Ink ink) => drawing.Line([.. MarkExtensions.Corners(box), box.Location], ink, 1);
}
