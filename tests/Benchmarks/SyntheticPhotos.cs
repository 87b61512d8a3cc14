using SkiaSharp;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>JPEG files like photographs in what they cost: noise of several scales under shapes.</summary>
internal static class SyntheticPhotos
{
    /// <summary>Writes files whose sides are drawn between two lengths.</summary>
    /// <returns>Their paths.</returns>
    public static string[] Write(string folder, int count, int shortest, int longest)
    {
        Directory.CreateDirectory(folder);
        return [.. Enumerable.Range(0, count).Select(i => Draw(folder, i, shortest, longest))];
    }

    private static string Draw(string folder, int seed, int shortest, int longest)
    {
        var random = new Random(seed);
        int width = random.Next(shortest, longest + 1), height = random.Next(shortest, longest + 1);
        using var bitmap = new SKBitmap(width, height);
        using var canvas = new SKCanvas(bitmap);
        using var noise = new SKPaint { Shader = SKShader.CreatePerlinNoiseTurbulence(0.02f, 0.03f, 5, seed) };
        canvas.Clear(SKColors.Gray);
        canvas.DrawPaint(noise);
        using var paint = new SKPaint { IsAntialias = true };
        for (int i = 0; i < 12; i++)
        {
            paint.Color = new SKColor((uint)random.Next() | 0x60000000);
            canvas.DrawCircle(random.Next(width), random.Next(height), random.Next(5, Math.Max(6, width / 6)), paint);
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        string path = Path.Combine(folder, $"{seed}.jpg");
        File.WriteAllBytes(path, data.ToArray());
        return path;
    }
}
