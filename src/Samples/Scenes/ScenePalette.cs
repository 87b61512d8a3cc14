using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>The colours of one scene: any for the background, and two for the object that stand out from it.</summary>
internal readonly record struct ScenePalette(SKColor Near, SKColor Far, SKColor Main, SKColor Accent)
{
    private const double MainContrast = 0.55, AccentContrast = 0.45;      // as Contrast below measures it; white on black has 1.41

    public static ScenePalette Draw(Random random)
    {
        var near = RandomColor(random);
        var far = Mix(near, RandomColor(random), 0.2 + 0.5 * random.NextDouble());
        var main = StandOut(() => RandomColor(random), near, far, MainContrast);
        var accent = StandOut(() => Mix(main, RandomColor(random), 0.3 + 0.3 * random.NextDouble()), near, far, AccentContrast);
        return new(near, far, main, accent);
    }

    public static SKColor RandomColor(Random random) => new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));

    // The first colour with enough contrast, or the best of many.
    private static SKColor StandOut(Func<SKColor> draw, SKColor near, SKColor far, double enough)
    {
        var (best, contrast) = (draw(), -1.0);
        for (int trial = 0; trial < 40 && contrast < enough; trial++)
        {
            var candidate = draw();
            double reached = Math.Min(Contrast(candidate, near), Contrast(candidate, far));
            if (reached > contrast) (best, contrast) = (candidate, reached);
        }
        return best;
    }

    // Lightness counts twice: that is what makes an edge visible at this size.
    private static double Contrast(SKColor a, SKColor b)
    {
        double red = (a.Red - b.Red) / 255.0, green = (a.Green - b.Green) / 255.0, blue = (a.Blue - b.Blue) / 255.0;
        double light = 0.3 * red + 0.59 * green + 0.11 * blue;
        return Math.Sqrt((red * red + green * green + blue * blue) / 3 + light * light);
    }

    public static SKColor Mix(SKColor a, SKColor b, double share) => new(
        (byte)(a.Red + share * (b.Red - a.Red)), (byte)(a.Green + share * (b.Green - a.Green)), (byte)(a.Blue + share * (b.Blue - a.Blue)));
}
