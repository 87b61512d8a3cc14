using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Tests.Masks;

/// <summary>Random masks for tests, the same for the same seed.</summary>
internal static class MaskScenes
{
    public static bool[][] RandomBitmaps(int seed, int height, int width, int count)
    {
        var random = new Random(seed);
        var bitmaps = new bool[count][];
        for (int k = 0; k < count; k++)
        {
            bitmaps[k] = (k % 4) switch
            {
                0 => Ellipse(random, height, width),
                1 => Noise(random, height * width),
                2 => Rectangle(random, height, width),
                _ => Enumerable.Repeat(random.Next(2) == 1, height * width).ToArray(),
            };
        }
        return bitmaps;
    }

    public static MaskSet Ellipses(int seed, int height, int width, int count)
    {
        var random = new Random(seed);
        return MaskSet.FromBitmaps(height, width, Enumerable.Range(0, count).Select(_ => Ellipse(random, height, width)).ToList());
    }

    public static bool[] Rectangle(int height, int width, int left, int top, int right, int bottom) =>
        Paint(height, width, (x, y) => x >= left && x < right && y >= top && y < bottom);

    public static bool[] Paint(int height, int width, Func<int, int, bool> isCovered)
    {
        bool[] bitmap = new bool[height * width];
        for (int i = 0; i < bitmap.Length; i++) bitmap[i] = isCovered(i % width, i / width);
        return bitmap;
    }

    public static bool[] Bitmap(MaskSet masks, int k)
    {
        byte[] bytes = new byte[masks.Height * masks.Width];
        masks.CopyTo(k, bytes);
        return Array.ConvertAll(bytes, b => b != 0);
    }

    private static bool[] Ellipse(Random random, int height, int width)
    {
        double cx = random.NextDouble() * width, cy = random.NextDouble() * height;
        double rx = 1 + random.NextDouble() * width / 3, ry = 1 + random.NextDouble() * height / 3;
        return Paint(height, width, (x, y) => Math.Pow((x - cx) / rx, 2) + Math.Pow((y - cy) / ry, 2) <= 1);
    }

    private static bool[] Rectangle(Random random, int height, int width)
    {
        int left = random.Next(width), top = random.Next(height);
        return Rectangle(height, width, left, top, left + random.Next(width + 1), top + random.Next(height + 1));
    }

    private static bool[] Noise(Random random, int length)
    {
        double density = random.NextDouble();
        bool[] bitmap = new bool[length];
        for (int i = 0; i < length; i++) bitmap[i] = random.NextDouble() < density;
        return bitmap;
    }
}
