using System.Globalization;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>
/// Watches for the ways in which self-distillation fails without an error: every distribution uniform, one prototype for everything, features
/// along one direction. Each is warned of once, with what to change.
/// </summary>
/// <remarks>
/// With the teacher's distributions p over K prototypes: the entropy H(p), averaged over views, and the divergence
/// KL = H(mean p) − mean H(p) from their mean (Caron et al., ICCV 2021, section 5.3: collapse is KL = 0). The rank of features is the
/// exponential of the entropy of their normalised singular values (Garrido et al., ICML 2023).
/// </remarks>
internal sealed class CollapseMonitor(int outDim)
{
    /// <summary>Steps between two observations.</summary>
    public const int Interval = 20;

    private const int LossWindow = 100;
    private const double NearUniform = 0.995, NearNothing = 0.02, SmallestRank = 2;

    private readonly double uniform = Math.Log(outDim);
    private readonly Queue<double> losses = [];
    private readonly HashSet<string> told = [];
    private readonly List<string> warnings = [];

    /// <summary>The ranks whose distributions and features are looked at together.</summary>
    public IRanks Ranks { get; set; } = OneRank.Instance;

    /// <summary>What was seen last, by name.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; private set; } = Training.TrainingProgress.NoMetrics;

    /// <summary>Takes note of the teacher's distributions, [V·B, K], and features, [V·B, D].</summary>
    public void Observe(Tensor distributions, Tensor features)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        bool isFinite = isfinite(distributions).all().ToBoolean() && isfinite(features).all().ToBoolean();
        if (Ranks.Mean(isFinite ? 0 : 1) > 0) return;                                                          // the loop stops the run
        features = OfAllRanks(features);
        double entropy = Ranks.Mean(Entropy(distributions).mean().ToDouble()), ofMean = Entropy(MeanOfAllRanks(distributions)).ToDouble();
        double rank = EffectiveRank(features);
        Metrics = new Dictionary<string, double>
        {
            ["teacherEntropy"] = entropy, ["teacherDivergence"] = ofMean - entropy, ["featureRank"] = rank,
        };
        if (entropy > NearUniform * uniform) Uniform($"the teacher's entropy is {Text(entropy)} of at most ln(OutDim) = {Text(uniform)}");
        if (ofMean < NearNothing * uniform)
            Tell("prototype", $"Nearly every view has the same prototype: the entropy of their mean is {Text(ofMean)}. Raise TeacherTemperature, "
                + "lower CenterMomentum so that the centre follows faster, or lower LearningRate.");
        if (rank < SmallestRank && features.shape[0] > 2 * SmallestRank)
            Tell("rank", $"The features of different images lie along one direction: their rank is {Text(rank)}. Lower LearningRate or "
                + "WeightDecay, weaken the augmentation, or raise TeacherMomentum.");
    }

    /// <summary>Takes note of a loss.</summary>
    public void Observe(double loss)
    {
        losses.Enqueue(loss);
        if (losses.Count <= LossWindow) return;
        losses.Dequeue();
        if (losses.Min() > NearUniform * uniform)
            Uniform($"the loss has stayed at ln(OutDim) = {Text(uniform)} for {LossWindow} steps");
    }

    /// <summary>Gives the warnings that were not taken yet.</summary>
    public IEnumerable<string> TakeWarnings()
    {
        if (warnings.Count == 0) return [];
        string[] taken = [.. warnings];
        warnings.Clear();
        return taken;
    }

    private Tensor MeanOfAllRanks(Tensor distributions)
    {
        var mean = distributions.mean([0]);
        Ranks.Sum(mean);
        return Ranks.Size == 1 ? mean : mean / Number(Ranks.Size);
    }

    private Tensor OfAllRanks(Tensor features)
    {
        if (Ranks.Size == 1) return features;
        float[] mine = features.to_type(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        byte[][] all = Ranks.Gather(MemoryMarshal.AsBytes(mine.AsSpan()));
        float[] joined = [.. all.SelectMany(bytes => MemoryMarshal.Cast<byte, float>(bytes).ToArray())];
        return tensor(joined).view(-1, features.shape[1]);
    }

    private void Uniform(string sign) => Tell("uniform", $"The distributions have become uniform: {sign}. Lower TeacherTemperature (and its "
        + "warm-up's), keep the prototypes fixed for longer (FreezeLastLayerEpochs), choose a smaller Head.OutDim for few images, or lower "
        + "LearningRate.");

    private void Tell(string kind, string warning)
    {
        if (told.Add(kind)) warnings.Add(warning);
    }

    // −Σ p·ln p over the last dimension, 0·ln 0 being 0
    private static Tensor Entropy(Tensor p) => -(p * p.clamp_min(Number(1e-30)).log()).sum(-1);

    private static double EffectiveRank(Tensor features)
    {
        var values = linalg.svdvals(features.to_type(ScalarType.Float32).cpu());
        var shares = values / values.sum().clamp_min(Number(1e-12));
        return Entropy(shares).exp().ToDouble();
    }

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
