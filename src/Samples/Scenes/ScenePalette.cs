using SkiaSharp;

namespace MaskBias.MLNet.Samples.Scenes;

/// <summary>
/// The colours of one scene. Hues are any; lightness is alike from scene to scene: a dark ground and a light object, textured in two hues
/// of nearly one lightness. So neither colour nor brightness tells scenes apart, and the object's edge is always visible.
/// </summary>
internal readonly record struct ScenePalette(SKColor Near, SKColor Far, SKColor Main, SKColor Accent)
{
    private const double Ground = 0.35, Figure = 0.8, Texture = 0.7, Spread = 0.05;

    public static ScenePalette Draw(Random random)
    {
        var near = RandomColor(random, Ground, Spread);
        var far = Mix(near, RandomColor(random, Ground, Spread), 0.2 + 0.5 * random.NextDouble());
        return new(near, far, RandomColor(random, Figure, Spread), RandomColor(random, Texture, Spread));
    }

    /// <summary>Any hue, with a lightness near the given one in [0, 1].</summary>
    public static SKColor RandomColor(Random random, double lightness = Ground, double spread = 0.2)
    {
        double red = random.NextDouble(), green = random.NextDouble(), blue = random.NextDouble();
        double wanted = Math.Clamp(lightness + spread * (2 * random.NextDouble() - 1), 0.05, 0.95);
        double shift = wanted - Lightness(red, green, blue);
        // Towards grey as far as it takes to stay in range.
        double room = new[] { red, green, blue }.Min(c => Room(c + shift - wanted, wanted));
        return new(Channel(red), Channel(green), Channel(blue));

        byte Channel(double c) => (byte)Math.Round(255 * Math.Clamp(wanted + room * (c + shift - wanted), 0, 1));
    }

    public static SKColor Mix(SKColor a, SKColor b, double share) => new(
        (byte)(a.Red + share * (b.Red - a.Red)), (byte)(a.Green + share * (b.Green - a.Green)), (byte)(a.Blue + share * (b.Blue - a.Blue)));

    private static double Lightness(double red, double green, double blue) => 0.299 * red + 0.587 * green + 0.114 * blue;

    private static double Room(double distance, double from) => distance switch
    {
        > 0 => Math.Min(1, (1 - from) / distance),
        < 0 => Math.Min(1, from / -distance),
        _ => 1,
    };
}
