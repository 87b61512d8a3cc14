using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>Fits the options of a run to its length and its number of images, and keeps a note of everything it changes.</summary>
internal sealed class RunLimits(int epochs)
{
    private const double LargestWarmup = 0.1, LongestBiasFreeze = 1.0 / 3, LongestMemory = 0.1;

    private readonly List<string> adjustments = [];

    /// <summary>What was changed, with its reason.</summary>
    public IReadOnlyList<string> Adjustments => adjustments;

    /// <summary>Notes a change that another part of the run made.</summary>
    public void Note(string adjustment) => adjustments.Add(adjustment);

    /// <summary>The batch is at most the number of images. Its parts are of one size, at most the one asked for, and can be shared out to ranks.</summary>
    /// <param name="wanted">The batch asked for.</param>
    /// <param name="images">How many there are.</param>
    /// <param name="wantedParts">The parts asked for.</param>
    /// <param name="ranks">Those that share the batch.</param>
    /// <param name="inPairs">Whether images are mixed in pairs: several ranks then have an even number each.</param>
    /// <exception cref="ArgumentException">The batch cannot be shared out evenly, or there are too few images for the ranks.</exception>
    public (int Batch, int Parts) Batch(int wanted, int images, int wantedParts = 1, int ranks = 1, bool inPairs = false)
    {
        if (wanted % (wantedParts * ranks) != 0)
        {
            throw new ArgumentException($"BatchSize is {wanted}; it is that of all {ranks} ranks together and must be a multiple of {wantedParts * ranks}"
                + (wantedParts > 1 ? $": {ranks} ranks × AccumulationSteps {wantedParts}." : "."));
        }
        if (wanted <= images) return (wanted, wantedParts);
        int largestPart = wanted / wantedParts, parts = (images + largestPart - 1) / largestPart;
        while (parts > 1 && parts * ranks > images) parts--;
        bool keepsPairs = inPairs && ranks > 1;
        int batch = images - images % (parts * ranks * (keepsPairs ? 2 : 1));
        if (batch == 0)
        {
            throw new ArgumentException($"There are {images} images for {ranks} ranks; every rank needs "
                + (keepsPairs ? "two at least, which are mixed in pairs: start fewer, or set Mixup and Cutmix to 0." : "one at least."));
        }
        string even = ranks > 1 ? $", and {ranks} ranks share them evenly{(keepsPairs ? " in pairs" : "")}" : "";
        adjustments.Add($"BatchSize is {batch}, not {wanted}: there are {images} images{even}.");
        if (parts != wantedParts) adjustments.Add($"AccumulationSteps is {parts}, not {wantedParts}: a part has {batch / parts} images.");
        return (batch, parts);
    }

    /// <summary>Steps of learning-rate warm-up: at most a share of the run, by default a tenth.</summary>
    public long WarmupSteps(int warmupEpochs, int stepsPerEpoch, double share = LargestWarmup)
    {
        long wanted = (long)warmupEpochs * stepsPerEpoch, most = (long)(share * epochs * stepsPerEpoch);
        if (wanted <= most) return wanted;
        adjustments.Add(string.Create(CultureInfo.InvariantCulture, $"WarmupEpochs is {(double)most / stepsPerEpoch:0.##}, not {warmupEpochs}: at most {share:0%} of {epochs} epochs."));
        return most;
    }

    /// <summary>Momentum of a moving average of weights: in a run of few steps at most so much that it looks back over a tenth of them.</summary>
    public double Momentum(string name, double wanted, long steps)
    {
        double most = Math.Max(0, 1 - 1 / (LongestMemory * steps));
        if (wanted <= most) return wanted;
        adjustments.Add(string.Create(CultureInfo.InvariantCulture,
            $"{name} is {most:0.#####}, not {wanted}: the average looks back over at most {LongestMemory:0%} of {steps} steps."));
        return most;
    }

    /// <summary>
    /// Epochs in which the bias is not trained: at most a third of the run, or all of it where <see cref="int.MaxValue"/> asks for that.
    /// </summary>
    public int FreezeBiasEpochs(int wanted) =>
        wanted == int.MaxValue ? wanted : Epochs(nameof(FreezeBiasEpochs), wanted, LongestBiasFreeze);

    /// <summary>Epochs of something that may take at most a share of the run.</summary>
    public int Epochs(string name, int wanted, double share)
    {
        int most = (int)(share * epochs);
        if (wanted <= most) return wanted;
        adjustments.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {most}, not {wanted}: at most {share:0%} of {epochs} epochs."));
        return most;
    }
}
