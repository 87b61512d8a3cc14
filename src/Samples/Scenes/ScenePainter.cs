using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>Puts one scene together: background, object, noise.</summary>
internal static class ScenePainter
{
    private const double NoiseAmplitude = 12;      // of 255, triangular: a standard deviation of about 5

    public static ShapeScene Paint(int classIndex, Random random, ShapeSceneOptions options)
    {
        var palette = ScenePalette.Draw(random);
        using var outline = PlaceOutline(classIndex, random, options, out var place, out float extent);

        var info = new SKImageInfo(options.Size, options.Size, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var surface = SKSurface.Create(info);
        SceneBackground.Paint(surface.Canvas, palette, options, random);
        surface.Canvas.ClipPath(outline, antialias: true);
        surface.Canvas.Concat(ref place);
        ObjectTexture.Paint(surface.Canvas, palette, extent, random);

        using var pixels = surface.PeekPixels();
        byte[] rgb = WithNoise(pixels.GetPixelSpan(), random);
        return new(classIndex, options.Size, rgb, MaskOf(outline, options.Size), (palette.Main.Red, palette.Main.Green, palette.Main.Blue));
    }

    // As far from the middle as the options let it, and the turned object wholly in the picture.
    private static SKPath PlaceOutline(int classIndex, Random random, ShapeSceneOptions options, out SKMatrix place, out float extent)
    {
        double share = options.SmallestObject + (options.LargestObject - options.SmallestObject) * random.NextDouble();
        extent = (float)(share * options.Size);
        float turn = (float)(options.MaximumRotation * (2 * random.NextDouble() - 1));
        var outline = new SKPath(ShapeOutlines.Get(classIndex));
        outline.Transform(SKMatrix.CreateScale(extent, extent).PostConcat(SKMatrix.CreateRotationDegrees(turn)));

        var bounds = outline.TightBounds;
        float left = Start(bounds.Width), top = Start(bounds.Height);
        place = SKMatrix.CreateTranslation(left - bounds.Left, top - bounds.Top);
        outline.Transform(place);
        return outline;

        float Start(float length)
        {
            double room = Math.Max(0, options.Size - length), reach = Math.Min(room, 2 * options.MaximumShift * options.Size);
            return (float)((room - reach) / 2 + reach * random.NextDouble());
        }
    }

    private static byte[] MaskOf(SKPath outline, int size)
    {
        using var surface = SKSurface.Create(new SKImageInfo(size, size, SKColorType.Alpha8, SKAlphaType.Premul));
        using var paint = new SKPaint { IsAntialias = true, Color = SKColors.White };
        surface.Canvas.DrawPath(outline, paint);
        using var pixels = surface.PeekPixels();
        var coverage = pixels.GetPixelSpan();
        byte[] mask = new byte[size * size];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++) mask[y * size + x] = coverage[y * pixels.RowBytes + x] >= 128 ? (byte)1 : (byte)0;
        }
        return mask;
    }

    private static byte[] WithNoise(ReadOnlySpan<byte> rgba, Random random)
    {
        byte[] rgb = new byte[rgba.Length / 4 * 3];
        byte[] noise = new byte[2 * rgb.Length];
        random.NextBytes(noise);
        for (int i = 0; i < rgb.Length; i++)
        {
            double shift = NoiseAmplitude * (noise[2 * i] - noise[2 * i + 1]) / 255;
            rgb[i] = (byte)Math.Clamp(Math.Round(rgba[i / 3 * 4 + i % 3] + shift), 0, 255);
        }
        return rgb;
    }
}
