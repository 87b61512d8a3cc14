using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>The cross-entropy over pairs of views that DINO and distillation share.</summary>
internal static class ViewPairs
{
    /// <summary>Mean over all pairs (target view g, predicted view v ≠ g) of −Σ_k target·log softmax(logits).</summary>
    /// <param name="targets">Distributions of the global views, [G·B, K], view by view.</param>
    /// <param name="logits">Logits of every view, already divided by their temperature, [V·B, K], the global views first.</param>
    /// <param name="globalViews">G.</param>
    /// <exception cref="ArgumentException">The row counts are not whole numbers of views.</exception>
    public static Tensor CrossEntropy(Tensor targets, Tensor logits, int globalViews)
    {
        long batch = targets.shape[0] / globalViews;
        if (batch * globalViews != targets.shape[0] || batch == 0 || logits.shape[0] % batch != 0 || logits.shape[0] <= batch)
            throw new ArgumentException($"{logits.shape[0]} predicted rows and {targets.shape[0]} target rows do not make at least two views of one batch with {globalViews} global views.");
        using var scope = NewDisposeScope();
        long views = logits.shape[0] / batch;
        var log = nn.functional.log_softmax(logits, dim: -1).view(views, batch, -1);         // [V, B, K]
        var others = log.sum(0, keepdim: true) - log[..globalViews];                           // a view never explains itself
        var crossEntropy = -(targets.view(globalViews, batch, -1) * others).sum(-1);           // [G, B], over V − 1 views
        return (crossEntropy.mean() / Number(views - 1)).MoveToOuterDisposeScope();
    }
}
