using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>Paints what lies behind the object: two colours in gradients and large patches, then small things of any colour.</summary>
internal static class SceneBackground
{
    public static void Paint(SKCanvas canvas, ScenePalette palette, ShapeSceneOptions options, Random random)
    {
        PaintGround(canvas, palette, options.Size, random);
        Scatter(random.Next(2, 6), options, () => PaintPatch(canvas, palette, options.Size, random));
        Scatter(random.Next(6, 12), options, () => PaintBlob(canvas, options.Size, random));
        Scatter(random.Next(3, 8), options, () => PaintLine(canvas, options.Size, random));
        Scatter(random.Next(4, 12), options, () => PaintSpeck(canvas, options.Size, random));
    }

    private static void Scatter(int count, ShapeSceneOptions options, Action paint)
    {
        for (int i = 0; i < (int)Math.Round(count * options.Clutter); i++) paint();
    }

    private static void PaintGround(SKCanvas canvas, ScenePalette palette, int size, Random random)
    {
        double angle = 2 * Math.PI * random.NextDouble();
        var reach = new SKPoint((float)(0.5 * size * Math.Cos(angle)), (float)(0.5 * size * Math.Sin(angle)));
        var middle = new SKPoint(size / 2f, size / 2f);
        using var shader = random.Next(3) == 0
            ? SKShader.CreateRadialGradient(Anywhere(size, random), 0.9f * size, [palette.Near, palette.Far], SKShaderTileMode.Clamp)
            : SKShader.CreateLinearGradient(middle - reach, middle + reach, [palette.Near, palette.Far], SKShaderTileMode.Clamp);
        using var paint = new SKPaint { Shader = shader };
        canvas.DrawPaint(paint);
    }

    // As large as the object, but in the ground's own colours: an edge that is not the object's.
    private static void PaintPatch(SKCanvas canvas, ScenePalette palette, int size, Random random)
    {
        using var paint = new SKPaint { IsAntialias = true, Color = ScenePalette.Mix(palette.Near, palette.Far, random.NextDouble()) };
        PaintOvalOrBox(canvas, paint, size, smallest: 0.12, largest: 0.4, random);
    }

    private static void PaintBlob(SKCanvas canvas, int size, Random random)
    {
        using var paint = RandomPaint(random);
        PaintOvalOrBox(canvas, paint, size, smallest: 0.02, largest: 0.07, random);
    }

    private static void PaintOvalOrBox(SKCanvas canvas, SKPaint paint, int size, double smallest, double largest, Random random)
    {
        var center = Anywhere(size, random);
        float width = HalfExtent(), height = HalfExtent();
        canvas.Save();
        canvas.RotateDegrees(random.Next(180), center.X, center.Y);
        if (random.Next(2) == 0) canvas.DrawOval(center.X, center.Y, width, height, paint);
        else canvas.DrawRect(center.X - width, center.Y - height, 2 * width, 2 * height, paint);
        canvas.Restore();

        float HalfExtent() => (float)(size * (smallest + (largest - smallest) * random.NextDouble()));
    }

    private static void PaintLine(SKCanvas canvas, int size, Random random)
    {
        using var paint = RandomPaint(random);
        paint.StrokeWidth = (float)(size * (0.015 + 0.02 * random.NextDouble()));
        double angle = 2 * Math.PI * random.NextDouble(), length = size * (0.1 + 0.25 * random.NextDouble());
        var start = Anywhere(size, random);
        canvas.DrawLine(start, start + new SKPoint((float)(length * Math.Cos(angle)), (float)(length * Math.Sin(angle))), paint);
    }

    private static void PaintSpeck(SKCanvas canvas, int size, Random random)
    {
        using var paint = RandomPaint(random);
        canvas.DrawCircle(Anywhere(size, random), size * 0.012f, paint);
    }

    private static SKPaint RandomPaint(Random random) =>
        new() { IsAntialias = true, Color = ScenePalette.RandomColor(random).WithAlpha((byte)random.Next(140, 256)) };

    private static SKPoint Anywhere(int size, Random random) =>
        new((float)(size * random.NextDouble()), (float)(size * random.NextDouble()));
}
