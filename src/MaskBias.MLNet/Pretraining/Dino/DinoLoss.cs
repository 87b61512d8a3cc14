using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>
/// The DINO loss (supplement, Eq. 1-3; Caron et al., ICCV 2021): the student's cross-entropy against the teacher's centred and sharpened
/// distribution, averaged over all pairs of different views.
/// </summary>
/// <remarks>
/// The supplement prints H's arguments the other way round; as in the DINO reference, the teacher gives the target and the log is taken of
/// the student. Not thread-safe: the centre moves with every step.
/// </remarks>
internal sealed class DinoLoss : IDisposable
{
    private readonly double studentTemperature;
    private readonly double centerMomentum;
    private readonly Tensor seen;              // sum over parts of the mean teacher logits, [1, K]
    private int parts;

    public DinoLoss(int outDim, double studentTemperature, double centerMomentum, Device device, ScalarType type = ScalarType.Float32)
    {
        (this.studentTemperature, this.centerMomentum) = (studentTemperature, centerMomentum);
        Center = zeros(1, outDim, type, device).DetachFromDisposeScope();
        seen = zeros(1, outDim, type, device).DetachFromDisposeScope();
    }

    /// <summary>The ranks whose batches the centre follows.</summary>
    public IRanks Ranks { get; set; } = OneRank.Instance;

    /// <summary>The centre o of Eq. 3, [1, K].</summary>
    public Tensor Center { get; }

    /// <summary>Returns the mean loss over pairs of views, and keeps the teacher's logits in mind for the centre.</summary>
    /// <param name="student">Logits of every view, [V·B, K], view by view, the global views first.</param>
    /// <param name="teacher">Logits of the global views, [G·B, K].</param>
    /// <param name="globalViews">G.</param>
    /// <param name="teacherTemperature">τ' at this epoch.</param>
    public Tensor Forward(Tensor student, Tensor teacher, int globalViews, double teacherTemperature)
    {
        var loss = ViewPairs.CrossEntropy(Targets(teacher, teacherTemperature), student / Number(studentTemperature), globalViews);
        See(teacher);
        return loss;
    }

    /// <summary>The teacher's sharpened and centred distributions P' (Eq. 3) of its logits, [G·B, K].</summary>
    public Tensor Targets(Tensor teacher, double teacherTemperature)
    {
        using var _ = no_grad();
        return softmax((teacher - Center) / Number(teacherTemperature), dim: -1);
    }

    /// <summary>Brings the mean of the teacher's logits together over the ranks.</summary>
    public void ReduceOverRanks()
    {
        using var _ = no_grad();
        Ranks.Sum(seen);
        seen.div_(Number(Ranks.Size));
    }

    /// <summary>
    /// o ← m·o + (1 − m)·mean(teacher logits), after the loss of the whole batch: its targets do not see the batch itself.
    /// </summary>
    public void MoveCenter()
    {
        using var _ = no_grad();
        Center.mul_(Number(centerMomentum)).add_(seen, alpha: Number((1 - centerMomentum) / parts));
        seen.zero_();
        parts = 0;
    }

    private void See(Tensor teacher)
    {
        using var _ = no_grad();
        using var mean = teacher.mean([0], keepdim: true);
        seen.add_(mean, alpha: Number(1));
        parts++;
    }

    public void Dispose()
    {
        Center.Dispose();
        seen.Dispose();
    }
}
