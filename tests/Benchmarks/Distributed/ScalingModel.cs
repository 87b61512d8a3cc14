namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>A step of data-parallel training, simulated from measured rates.</summary>
/// <remarks>
/// Every rank computes forward and backward; buckets of gradients become ready at the end, or, where sums overlap the backward pass, evenly
/// over it, which is two thirds of the computing. A ring sums one bucket after the other: 2(N − 1) hops of a latency each, and 2(N − 1)/N of its
/// bytes over each link. The update follows the last sum.
/// </remarks>
internal sealed record ScalingModel
{
    private const double BackwardShare = 2.0 / 3;

    /// <summary>Seconds of computing for an image on a rank, when its neighbours compute too.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>Seconds of a step that do not depend on the images: optimizer, moving average.</summary>
    public double SecondsPerStep { get; init; }

    /// <summary>Seconds to copy all gradients into buckets and to divide them.</summary>
    public double CopySeconds { get; init; }

    public required long GradientBytes { get; init; }

    public long BucketBytes { get; init; } = 25 << 20;

    /// <summary>Latency of a hop between neighbours of the ring.</summary>
    public required double HopSeconds { get; init; }

    /// <summary>Bytes per second of a link between neighbours, with the sum at its end.</summary>
    public required double BytesPerSecond { get; init; }

    /// <summary>Whether sums overlap the backward pass.</summary>
    public bool Overlaps { get; init; }

    /// <summary>Relative spread of the ranks' times: the slowest of N is waited for, about √(2 ln N) deviations later.</summary>
    public double Jitter { get; init; }

    /// <summary>Images per second that storage and decoding give to each rank; unlimited by default.</summary>
    public double InputImagesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>Seconds of one sum over a ring.</summary>
    public double Sum(int ranks, long bytes) =>
        ranks == 1 ? 0 : 2 * (ranks - 1) * HopSeconds + 2.0 * (ranks - 1) / ranks * bytes / BytesPerSecond;

    /// <summary>Seconds of a step.</summary>
    public double Step(int ranks, double imagesPerRank)
    {
        double slowest = 1 + (ranks > 1 ? Jitter * Math.Sqrt(2 * Math.Log(ranks)) : 0);
        double compute = SecondsPerImage * imagesPerRank * slowest, input = imagesPerRank / InputImagesPerSecond;
        int buckets = (int)((GradientBytes + BucketBytes - 1) / BucketBytes);
        double network = 0;
        for (int bucket = 0; bucket < buckets && ranks > 1; bucket++)
        {
            long bytes = Math.Min(BucketBytes, GradientBytes - bucket * BucketBytes);
            double ready = Overlaps
                ? compute * (1 - BackwardShare + BackwardShare * (bucket + 1) / buckets)
                : compute + CopySeconds * (bucket + 1) / buckets;
            network = Math.Max(network, ready) + Sum(ranks, bytes);
        }
        return Math.Max(input, Math.Max(compute, network) + SecondsPerStep);
    }

    /// <summary>Rate of all ranks together as a share of N times that of one.</summary>
    public double Efficiency(int ranks, double imagesPerRank) => Step(1, imagesPerRank) / Step(ranks, imagesPerRank);

    /// <summary>The images per rank that give an efficiency.</summary>
    public double ImagesFor(int ranks, double efficiency)
    {
        double low = 0, high = 1 << 24;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (Efficiency(ranks, middle) >= efficiency) high = middle;
            else low = middle;
        }
        return high;
    }
}
