using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>Fills the object: plain, striped, dotted, checked or with a gradient, turned and scaled at random.</summary>
internal static class ObjectTexture
{
    private const int Kinds = 5;

    /// <summary>Paints over a square of side <paramref name="extent"/> around the origin; the caller has clipped to the outline.</summary>
    public static void Paint(SKCanvas canvas, ScenePalette palette, float extent, Random random)
    {
        int kind = random.Next(Kinds);
        float period = extent * (float)(0.14 + 0.12 * random.NextDouble());
        canvas.RotateDegrees(random.Next(180));
        canvas.Translate((float)random.NextDouble() * period, (float)random.NextDouble() * period);

        using var main = new SKPaint { Color = palette.Main, IsAntialias = true };
        using var accent = new SKPaint { Color = palette.Accent, IsAntialias = true };
        canvas.DrawPaint(main);
        switch (kind)
        {
            case 1: Stripes(canvas, accent, extent, period); break;
            case 2: Cells(extent, period, (x, y, _) => canvas.DrawCircle(x, y, 0.3f * period, accent)); break;
            case 3: Cells(extent, period, (x, y, odd) => { if (odd) canvas.DrawRect(x, y, period, period, accent); }); break;
            case 4: Gradient(canvas, palette, extent); break;
            default: break;
        }
    }

    private static void Stripes(SKCanvas canvas, SKPaint accent, float extent, float period)
    {
        for (float x = -extent; x < extent; x += period) canvas.DrawRect(x, -2 * extent, 0.5f * period, 4 * extent, accent);
    }

    private static void Cells(float extent, float period, Action<float, float, bool> draw)
    {
        int reach = (int)Math.Ceiling(extent / period);
        for (int row = -reach; row <= reach; row++)
        {
            for (int column = -reach; column <= reach; column++) draw(column * period, row * period, (row + column & 1) != 0);
        }
    }

    private static void Gradient(SKCanvas canvas, ScenePalette palette, float extent)
    {
        using var shader = SKShader.CreateLinearGradient(
            new(-extent / 2, 0), new(extent / 2, 0), [palette.Main, palette.Accent], SKShaderTileMode.Clamp);
        using var paint = new SKPaint { Shader = shader };
        canvas.DrawPaint(paint);
    }
}
