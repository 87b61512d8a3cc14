using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>The ten outlines. Each is centred at the origin and its larger extent is 1.</summary>
internal static class ShapeOutlines
{
    public static readonly string[] Names =
        ["arrow", "circle", "crescent", "cross", "heart", "hourglass", "ring", "square", "star", "triangle"];

    // Skia fills a path without changing it, so that threads may share them.
    private static readonly SKPath[] Outlines =
    [
        Normalized(Arrow()), Normalized(Circle()), Normalized(Crescent()), Normalized(Cross()), Normalized(Heart()),
        Normalized(Hourglass()), Normalized(Ring()), Normalized(Square()), Normalized(Star()), Normalized(Triangle()),
    ];

    public static SKPath Get(int classIndex) => Outlines[classIndex];

    private static SKPath Arrow() => Polygon((-50, -13), (0, -13), (0, -42), (50, 0), (0, 42), (0, 13), (-50, 13));

    private static SKPath Circle()
    {
        var path = new SKPath();
        path.AddCircle(0, 0, 50);
        return path;
    }

    private static SKPath Crescent()
    {
        using var full = Circle();
        using var bite = new SKPath();
        bite.AddCircle(25, 0, 41);
        return full.Op(bite, SKPathOp.Difference);
    }

    private static SKPath Cross() => Polygon(
        (-16, -50), (16, -50), (16, -16), (50, -16), (50, 16), (16, 16), (16, 50), (-16, 50), (-16, 16), (-50, 16), (-50, -16), (-16, -16));

    private static SKPath Heart()
    {
        var path = new SKPath();
        path.MoveTo(0, 45);
        path.CubicTo(-70, -5, -50, -50, -26, -47);
        path.CubicTo(-12, -46, -3, -36, 0, -24);
        path.CubicTo(3, -36, 12, -46, 26, -47);
        path.CubicTo(50, -50, 70, -5, 0, 45);
        path.Close();
        return path;
    }

    private static SKPath Hourglass() => Polygon((-42, -50), (42, -50), (7, 0), (42, 50), (-42, 50), (-7, 0));

    private static SKPath Ring()
    {
        var path = new SKPath { FillType = SKPathFillType.EvenOdd };
        path.AddCircle(0, 0, 50);
        path.AddCircle(0, 0, 28);
        return path;
    }

    private static SKPath Square() => Polygon((-45, -45), (45, -45), (45, 45), (-45, 45));

    private static SKPath Star()
    {
        var corners = Enumerable.Range(0, 10).Select(i =>
        {
            double angle = Math.PI * (i / 5.0 - 0.5), radius = i % 2 == 0 ? 50 : 21;
            return ((float)(radius * Math.Cos(angle)), (float)(radius * Math.Sin(angle)));
        });
        return Polygon([.. corners]);
    }

    private static SKPath Triangle() => Polygon((0, -45), (50, 42), (-50, 42));

    private static SKPath Polygon(params (float X, float Y)[] corners)
    {
        var path = new SKPath();
        path.AddPoly([.. corners.Select(c => new SKPoint(c.X, c.Y))]);
        return path;
    }

    private static SKPath Normalized(SKPath path)
    {
        var bounds = path.TightBounds;
        float scale = 1 / Math.Max(bounds.Width, bounds.Height);
        path.Transform(SKMatrix.CreateScaleTranslation(scale, scale, -bounds.MidX * scale, -bounds.MidY * scale));
        return path;
    }
}
