namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>
/// The mean difference of two encoders on the same test images and the same seeds, with an interval by the bootstrap: seeds and images
/// are drawn with replacement, each draw has the same images for all of its seeds, and the interval lies between the percentiles of the
/// draws' means.
/// </summary>
/// <remarks>With few seeds it is too narrow rather than too wide: three seeds show little of how much seeds differ.</remarks>
internal static class PairedBootstrap
{
    /// <summary>Draws, unless said otherwise.</summary>
    public const int Draws = 5000;

    private const double Confidence = 0.95;
    private const int Seed = 20240907;                  // the same differences give the same interval

    /// <summary>Computes mean and interval.</summary>
    /// <param name="differences">For each seed the difference on every image, [seeds][images].</param>
    /// <param name="draws">Number of draws.</param>
    /// <exception cref="ArgumentException">There is no seed or no image, or the seeds have other numbers of images.</exception>
    public static (double Mean, double Low, double High) Interval(IReadOnlyList<double[]> differences, int draws = Draws)
    {
        if (differences.Count == 0 || differences[0].Length == 0 || differences.Any(d => d.Length != differences[0].Length))
            throw new ArgumentException("The differences must be of one seed at least, and of the same images for each.",
                nameof(differences));
        int seeds = differences.Count, images = differences[0].Length;
        var random = new Random(Seed);
        double[] means = new double[draws];
        double[] bySeed = new double[images];
        for (int draw = 0; draw < draws; draw++)
        {
            Array.Clear(bySeed);
            for (int s = 0; s < seeds; s++)
            {
                double[] drawn = differences[random.Next(seeds)];
                for (int i = 0; i < images; i++) bySeed[i] += drawn[i];
            }
            double sum = 0;
            for (int i = 0; i < images; i++) sum += bySeed[random.Next(images)];
            means[draw] = sum / ((double)seeds * images);
        }
        Array.Sort(means);
        return (differences.Average(d => d.Average()), Percentile(means, (1 - Confidence) / 2), Percentile(means, (1 + Confidence) / 2));
    }

    private static double Percentile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}
