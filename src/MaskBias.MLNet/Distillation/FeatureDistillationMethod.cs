using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distillation;

/// <summary>
/// Distillation of a teacher without prototypes, such as MAE's: the student, which sees no masks, regresses the frozen teacher's class and
/// patch features of the same view, normalised per token, by the smooth L1 loss. An extension of ours: Eq. 4 needs a projection head.
/// </summary>
/// <remarks>The target is normalised as in feature distillation (Wei et al., 2022): a layer norm without weights.</remarks>
internal sealed class FeatureDistillationMethod : ITrainingMethod<ViewBatch>, IDisposable
{
    private readonly VisionTransformer student;
    private readonly VisionTransformer teacher;
    private readonly Linear? projection;          // to the teacher's width, where the student's is another; not kept

    /// <summary>The teacher must be frozen and in evaluation mode.</summary>
    public FeatureDistillationMethod(VisionTransformer student, VisionTransformer teacher, long seed, Device device)
    {
        (this.student, this.teacher) = (student, teacher);
        if (student.FeatureDim != teacher.FeatureDim) projection = Projection(student.FeatureDim, teacher.FeatureDim, seed, device);
        Parameters =
        [
            .. student.named_parameters().Select(p => (p.name, p.parameter)),
            .. (projection?.named_parameters() ?? []).Select(p => ("projection." + p.name, p.parameter)),
        ];
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters { get; }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => [new("student", student.Generator)];

    /// <inheritdoc/>
    public void JoinRanks(RankShare share) => student.JoinRanks(share);

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
    }

    /// <inheritdoc/>
    public Tensor Loss(ViewBatch batch, TrainingPosition position)
    {
        using var scope = NewDisposeScope();
        var (images, maskTokens) = (batch.Global.Images, batch.Global.MaskTokens);
        Tensor target;
        using (no_grad()) target = Normalize(teacher.WithoutRegisters(teacher.ForwardTokens(images, maskTokens)));    // [V·B, 1 + N, D]
        var features = student.WithoutRegisters(student.ForwardTokens(images));
        if (projection is not null) features = projection.forward(features);
        return nn.functional.smooth_l1_loss(features, target).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position)
    {
    }

    /// <summary>Frees the projection; student and teacher are the caller's.</summary>
    public void Dispose() => projection?.Dispose();

    private static Tensor Normalize(Tensor tokens) =>
        nn.functional.layer_norm(tokens, [tokens.shape[^1]], eps: VitOptions.DefaultNormEpsilon);

    private static Linear Projection(int inputs, int outputs, long seed, Device device)
    {
        using var isolated = new IsolatedRandomState();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var linear = nn.Linear(inputs, outputs);
        MaeInitialization.DrawLinears(linear, generator);
        linear.to(device);
        linear.DetachWeights();
        return linear;
    }
}
