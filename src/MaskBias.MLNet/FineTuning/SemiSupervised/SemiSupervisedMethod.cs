using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>
/// Semi-ViT's second stage (Cai et al., NeurIPS 2022): L = L_x + λ_u·L_u, the labelled images' loss and that of the unlabelled ones,
/// whose classes a teacher names on a weak view and the student learns on a strong one.
/// </summary>
/// <param name="options">Weights and thresholds.</param>
/// <param name="labelled">Learns from the labelled images, and moves the teacher behind the student.</param>
/// <param name="student">What is trained.</param>
/// <param name="teacher">The moving average of the student.</param>
internal sealed class SemiSupervisedMethod(
    SemiSupervisedOptions options, FineTuneMethod labelled, FineTuneModel student, FineTuneModel teacher)
    : ITrainingMethod<SemiSupervisedBatch>
{
    private Dictionary<string, double> metrics = [];

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => student.Parameters;

    /// <summary>The student's and, as its average, the teacher's.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => labelled.State;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => labelled.Generators;

    /// <summary>The teacher's mean confidence in the last step, and the share of images that were learned from.</summary>
    public IReadOnlyDictionary<string, double> Metrics => metrics;

    /// <inheritdoc/>
    public void BeginEpoch(int epoch) => labelled.BeginEpoch(epoch);

    /// <inheritdoc/>
    public Tensor Loss(SemiSupervisedBatch batch, TrainingPosition position)
    {
        using var scope = NewDisposeScope();
        var supervised = labelled.Loss(batch.Labelled, position);
        var pseudo = UnlabelledLoss(batch.Unlabelled.Global, labelled.RandomFor(position, RandomStream.Unlabelled));
        return Sum(supervised, Number(options.UnlabelledWeight) * pseudo).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position) => labelled.BeforeUpdate(position);

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position) => labelled.AfterUpdate(position);

    private Tensor UnlabelledLoss(ViewGroup views, Random random)
    {
        var halves = views.Images.chunk(2);                                                         // weak, strong: [B, 3, S, S] each
        var labels = NamedByTeacher(halves[0]);
        metrics = new() { ["teacher confidence"] = labels.Confidences.mean().ToDouble() };
        var images = labelled.StrongView(halves[1], options.RandomErasing, random);
        if (options.PseudoMixup) (images, labels) = PseudoMixup.Apply(images, labels);
        metrics["pseudo labels used"] = labels.Accepted(options.ConfidenceThreshold).mean().ToDouble();
        return labels.Loss(student.Forward(images), options.ConfidenceThreshold);
    }

    private PseudoLabels NamedByTeacher(Tensor weak)
    {
        using var _ = no_grad();
        return PseudoLabels.From(teacher.Forward(weak));
    }
}
