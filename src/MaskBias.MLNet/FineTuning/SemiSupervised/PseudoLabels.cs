using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>Classes that a teacher gives images which have none.</summary>
/// <param name="Targets">Distributions over the classes, [B, K].</param>
/// <param name="Confidences">How sure the teacher is, [B].</param>
internal sealed record PseudoLabels(Tensor Targets, Tensor Confidences)
{
    /// <summary>The teacher's likeliest class and its probability c, of logits [B, K].</summary>
    public static PseudoLabels From(Tensor logits)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (confidences, classes) = logits.softmax(-1).max(-1);
        var targets = nn.functional.one_hot(classes, logits.shape[1]).to_type(logits.dtype);
        return new(targets.MoveToOuterDisposeScope(), confidences.MoveToOuterDisposeScope());
    }

    /// <summary>1 where the teacher is sure enough, 0 elsewhere, [B].</summary>
    public Tensor Accepted(double threshold) => Confidences.ge(Number(threshold)).to_type(Targets.dtype);

    /// <summary>mean(1[c ≥ threshold] · CE) over all images, the rejected ones too, of the student's logits [B, K].</summary>
    public Tensor Loss(Tensor logits, double threshold)
    {
        using var scope = NewDisposeScope();
        var ofImages = -(Targets * nn.functional.log_softmax(logits, dim: -1)).sum(-1);            // [B]
        return (Accepted(threshold) * ofImages).mean().MoveToOuterDisposeScope();
    }
}
