namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// Generators that one seed opens for all the places of a run: each has its own, the same in every process, and those of another seed, or
/// of the place beside, have nothing in common with it.
/// </summary>
internal static class RandomStreams
{
    /// <summary>
    /// Stands in the description of a run that draws from a <see cref="RandomStream"/>, so that one that drew otherwise is not gone on with.
    /// </summary>
    public static KeyValuePair<string, string> Version => new("Random streams", "2");

    /// <summary>The generator of a place.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="number">Of the epoch, step or repetition.</param>
    /// <param name="stream">What draws in it: an image from 0 up, the order −1, batches from −2 down, or one of the named ones.</param>
    public static Random Open(int seed, int number, int stream) => new(Seed(seed, number, stream));

    /// <inheritdoc cref="Open(int, int, int)"/>
    public static Random Open(int seed, long number, RandomStream stream) => new(Seed(seed, number, stream));

    /// <summary>The seed, not negative, of what draws for itself in a place.</summary>
    public static int Seed(int seed, long number, RandomStream stream) => Seed(seed, unchecked((int)number), (int)stream);

    // Two products keep the three apart, and the finalizer of SplitMix64 spreads each bit over all.
    private static int Seed(int seed, int number, int stream)
    {
        ulong state = ((ulong)(uint)seed << 32 | (uint)number) * 0x9E3779B97F4A7C15 ^ (ulong)(uint)stream * 0xD1B54A32D192ED03;
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9;
        state = (state ^ state >> 27) * 0x94D049BB133111EB;
        return (int)(state >> 33);
    }
}
