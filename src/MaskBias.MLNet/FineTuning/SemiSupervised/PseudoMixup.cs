using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>
/// Probabilistic pseudo mixup (Cai et al., NeurIPS 2022): images with pseudo labels are mixed in pairs, each weighing as much as the
/// teacher is sure of it. Image i meets image π(i) = B − 1 − i, so in a batch of an odd number the middle one stays as it is.
/// </summary>
internal static class PseudoMixup
{
    /// <summary>λ_i = c_i / (c_i + c_π(i)); images and targets become λ·x + (1 − λ)·x_π, confidences max(c, c_π).</summary>
    /// <param name="images">[B, 3, S, S].</param>
    /// <param name="labels">Theirs.</param>
    public static (Tensor Images, PseudoLabels Labels) Apply(Tensor images, PseudoLabels labels)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor own = labels.Confidences, others = own.flip(0);
        var share = own / Sum(own, others);                                                           // [B]
        var mixed = Mix(images, share.view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
        var targets = Mix(labels.Targets, share.view(-1, 1)).MoveToOuterDisposeScope();
        return (mixed, new(targets, maximum(own, others).MoveToOuterDisposeScope()));
    }

    private static Tensor Mix(Tensor batch, Tensor share) => Sum(batch * share, batch.flip(0) * Difference(Number(1), share));
}
