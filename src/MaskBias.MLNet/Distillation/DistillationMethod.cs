using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distillation;

/// <summary>
/// Distillation of a mask-guided teacher into a plain student (Eq. 4): L = H(P(z), P(z_s)), both with Eq. 2's softmax at temperature τ. The
/// frozen teacher sees the global views with their masks, the student every view without; no centring, no moving average.
/// </summary>
/// <remarks>The supplement prints H's arguments the other way round; as in Eq. 1, the teacher gives the target.</remarks>
internal sealed class DistillationMethod(DistillationOptions options, DinoBranch student, DinoBranch teacher) : ITrainingMethod<ViewBatch>, IDisposable
{
    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => student.Parameters;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Tensor>> State => student.State;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => [new("student", student.Backbone.Generator)];

    /// <inheritdoc/>
    public void JoinRanks(RankShare share) => student.JoinRanks(share);

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
    }

    /// <inheritdoc/>
    public Tensor Loss(ViewBatch batch, TrainingPosition position)
    {
        Tensor targets;
        using (no_grad()) targets = softmax(teacher.Forward([batch.Global]) / Number(options.TeacherTemperature), dim: -1);
        var views = batch.Groups.Select(g => g with { MaskTokens = null });
        return ViewPairs.CrossEntropy(targets, student.Forward(views) / Number(options.StudentTemperature), batch.Global.Views);
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position)
    {
    }

    /// <summary>Nothing of its own to free.</summary>
    public void Dispose()
    {
    }
}
