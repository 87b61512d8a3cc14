using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>Draws on a picture of pixels.</summary>
internal sealed class SkiaDrawing(SKCanvas canvas) : IDrawing, IDisposable
{
    private readonly TextPainter text = new(canvas);

    /// <summary>Draws on a white picture of its own and gives it as a PNG.</summary>
    /// <param name="width">Pixels of the drawing.</param>
    /// <param name="height">Pixels of the drawing.</param>
    /// <param name="draw">Draws.</param>
    /// <param name="scale">Pixels of the picture per pixel of the drawing.</param>
    public static byte[] Png(int width, int height, Action<IDrawing> draw, int scale = 1)
    {
        using var surface = SKSurface.Create(new SKImageInfo(width * scale, height * scale, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
        surface.Canvas.Scale(scale);
        using (var drawing = new SkiaDrawing(surface.Canvas)) draw(drawing);
        return PictureFile.Png(surface);
    }

    public void Line(ReadOnlySpan<SKPoint> points, Ink ink, float thickness)
    {
        using var path = new SKPath();
        path.AddPoly(points.ToArray(), close: false);
        // Lines along the sides of pixels stay sharp; others are smoothed.
        bool isStraight = points.Length == 2 && (points[0].X == points[1].X || points[0].Y == points[1].Y);
        using var paint = new SKPaint { Color = ink.Color, IsStroke = true, StrokeWidth = thickness, IsAntialias = !isStraight };
        canvas.DrawPath(path, paint);
    }

    public void Dot(float x, float y, float radius, Ink ink, Mark mark = Mark.Disc, string? title = null)
    {
        using var path = new SKPath();
        if (mark == Mark.Disc) path.AddCircle(x, y, radius);
        else path.AddPoly(mark.Corners(x, y, radius));
        using var paint = new SKPaint { Color = ink.Color, IsAntialias = true };
        canvas.DrawPath(path, paint);
    }

    public void Fill(SKRect box, Ink ink)
    {
        using var paint = new SKPaint { Color = ink.Color };
        canvas.DrawRect(box, paint);
    }

    public void Text(string text, float x, float baseline, SKTextAlign align = SKTextAlign.Left, Ink? ink = null, float degrees = 0)
    {
        canvas.Save();
        canvas.RotateDegrees(degrees, x, baseline);
        this.text.Draw(text, x, baseline, align, (ink ?? Ink.Text).Color);
        canvas.Restore();
    }

    public void Dispose() => text.Dispose();
}
