using MaskBias.MLNet.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>Targets that are distributions over the classes.</summary>
internal static class SoftTargets
{
    /// <summary>Label smoothing: 1 − s + s/K for the class and s/K for each other one, [B] -> [B, K].</summary>
    public static Tensor Smooth(Tensor labels, int classes, double smoothing)
    {
        using var scope = NewDisposeScope();
        return nn.functional.one_hot(labels, classes).to_type(ScalarType.Float32)
            .mul_(Number(1 - smoothing)).add_(Number(smoothing / classes), alpha: Number(1))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross-entropy, −Σ t·log p, weighted by class where weights are given.</summary>
    /// <param name="logits">[B, K].</param>
    /// <param name="targets">[B, K].</param>
    /// <param name="classWeights">[K], or null.</param>
    /// <param name="ranks">Those that have the rest of the batch: the mean of their losses is then the loss of the whole.</param>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets, Tensor? classWeights = null, IRanks? ranks = null)
    {
        using var scope = NewDisposeScope();
        var weighted = (classWeights is null ? targets : targets * classWeights).to_type(logits.dtype);
        var sum = -(weighted * nn.functional.log_softmax(logits, dim: -1)).sum();
        if (classWeights is null) return (sum / Number(logits.shape[0])).MoveToOuterDisposeScope();
        var total = weighted.sum();
        return (ranks is null ? sum / total : sum / Number(ranks.Mean(total.ToDouble()))).MoveToOuterDisposeScope();
    }
}
