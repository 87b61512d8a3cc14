namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Draws the views of an image. The same seed, epoch and row give the same views, whatever the order or thread.</summary>
internal sealed class ViewSampler(MultiCropOptions options, int globalSize)
{
    private const double MinAspect = 3.0 / 4, MaxAspect = 4.0 / 3;
    private const int Attempts = 10;
    private const double ReferenceSize = 224;              // MaxBlur is stated for views of this size

    /// <summary>Draws the global views, then the local ones.</summary>
    public ViewDraw[] Draw(int height, int width, Random random)
    {
        var draws = new ViewDraw[options.GlobalViews + options.LocalViews];
        for (int view = 0; view < draws.Length; view++)
        {
            bool isGlobal = view < options.GlobalViews;
            var region = isGlobal
                ? Crop(height, width, options.GlobalMinScale, 1, random)
                : Crop(height, width, options.LocalMinScale, options.LocalMaxScale, random);
            double blurChance = options.BlurProbability * (view == 0 ? 1 : isGlobal ? 0.1 : 0.5);
            double solarizeChance = isGlobal && view > 0 ? options.SolarizeProbability : 0;
            draws[view] = Recolor(region, blurChance, solarizeChance, random);
        }
        return draws;
    }

    private ViewDraw Recolor(CropRegion region, double blurChance, double solarizeChance, Random random)
    {
        bool jitter = random.NextDouble() < options.ColorJitterProbability;
        double largestBlur = options.MaxBlur * globalSize / ReferenceSize;
        return new(
            region with { Flip = random.NextDouble() < options.FlipProbability },
            jitter ? Around(1, options.Brightness, random) : 1,
            jitter ? Around(1, options.Contrast, random) : 1,
            jitter ? Around(1, options.Saturation, random) : 1,
            jitter ? Around(0, options.Hue, random) : 0,
            random.NextDouble() < options.GrayscaleProbability,
            random.NextDouble() < blurChance ? (float)(largestBlur * (0.05 + 0.95 * random.NextDouble())) : 0,
            random.NextDouble() < solarizeChance);
    }

    // A random share of the area with a random aspect; where none fits, the largest central crop of an allowed aspect.
    private static CropRegion Crop(int height, int width, double minScale, double maxScale, Random random)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            double area = (double)height * width * Uniform(minScale, maxScale, random);
            double aspect = Math.Exp(Uniform(Math.Log(MinAspect), Math.Log(MaxAspect), random));
            int w = (int)Math.Round(Math.Sqrt(area * aspect)), h = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w < 1 || h < 1 || w > width || h > height) continue;
            return new(random.Next(width - w + 1), random.Next(height - h + 1), w, h);
        }
        double whole = (double)width / height;
        double cropWidth = whole > MaxAspect ? height * MaxAspect : width;
        double cropHeight = whole < MinAspect ? width / MinAspect : height;
        return new((width - cropWidth) / 2, (height - cropHeight) / 2, cropWidth, cropHeight);
    }

    private static double Uniform(double from, double to, Random random) => from + (to - from) * random.NextDouble();

    private static float Around(double center, double spread, Random random) => (float)Math.Max(center == 0 ? -spread : 0, Uniform(center - spread, center + spread, random));
}
