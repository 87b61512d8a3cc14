using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>
/// Self-distillation with no labels: a student learns to predict, from any view, what its own moving average says of another view. Both
/// see the masks of the view at hand.
/// </summary>
internal sealed class DinoMethod : ITrainingMethod<ViewBatch>, IDisposable
{
    private readonly DinoOptions options;
    private readonly DinoLoss loss;
    private readonly LinearSchedule teacherTemperature;
    private readonly CosineSchedule teacherMomentum;
    private readonly List<(string Name, Parameter Parameter)> lastLayer;
    private readonly CollapseMonitor monitor;
    private double temperature;                // of the teacher, in the epoch at hand

    /// <summary>The teacher starts as the student's copy and is frozen.</summary>
    public DinoMethod(DinoOptions options, DinoBranch student, DinoBranch teacher, long steps, Device device)
    {
        (this.options, Student, Teacher) = (options, student, teacher);
        loss = new DinoLoss(student.Head.Options.OutDim, options.StudentTemperature, options.CenterMomentum, device, student.Parameters[0].Parameter.dtype);
        teacherTemperature = new(options.WarmupTeacherTemperature, options.TeacherTemperature, options.WarmupTeacherTemperatureEpochs);
        teacherMomentum = new(options.TeacherMomentum, 1, steps);
        monitor = new(student.Head.Options.OutDim);
        lastLayer = student.Parameters.Where(p => p.Name.Contains("last_layer", StringComparison.Ordinal)).ToList();
        student.Train();
        teacher.Train();                    // as in the reference: it matters to a head with batch normalisation only
        teacher.CopyFrom(student);
        teacher.Freeze();
    }

    public DinoBranch Student { get; }

    public DinoBranch Teacher { get; }

    /// <summary>The loss' centre, [1, K].</summary>
    public Tensor Center => loss.Center;

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => Student.Parameters;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
    [
        .. Student.State.Select(t => KeyValuePair.Create("student." + t.Key, t.Value)),
        .. Teacher.State.Select(t => KeyValuePair.Create("teacher." + t.Key, t.Value)), KeyValuePair.Create("center", Center),
    ];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => [new("student", Student.Backbone.Generator)];

    /// <summary>The teacher's temperature, and of its distributions every so many steps what <see cref="CollapseMonitor"/> sees.</summary>
    public IReadOnlyDictionary<string, double> Metrics =>
        new Dictionary<string, double>(monitor.Metrics) { ["teacherTemperature"] = temperature };

    /// <inheritdoc/>
    public IEnumerable<string> TakeWarnings() => monitor.TakeWarnings();

    /// <inheritdoc/>
    public void JoinRanks(RankShare share)
    {
        Student.JoinRanks(share);
        loss.Ranks = monitor.Ranks = share.Ranks;
    }

    /// <inheritdoc/>
    public void ReduceOverRanks() => loss.ReduceOverRanks();

    /// <inheritdoc/>
    public void BeginEpoch(int epoch)
    {
        foreach (var weight in Student.Backbone.BiasParameters) weight.requires_grad = epoch >= options.FreezeBiasEpochs;
    }

    /// <inheritdoc/>
    public Tensor Loss(ViewBatch batch, TrainingPosition position)
    {
        Tensor features, logits;
        using (no_grad()) (features, logits) = Teacher.ForwardWithFeatures([batch.Global]);
        temperature = teacherTemperature.At(position.Epoch);
        if (position.Step % CollapseMonitor.Interval == 0) monitor.Observe(loss.Targets(logits, temperature), features);
        return loss.Forward(Student.Forward(batch.Groups), logits, batch.Global.Views, temperature);
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
        if (position.Epoch >= options.FreezeLastLayerEpochs) return;
        // No gradient at all rather than a zero one: AdamW then neither decays the prototypes nor counts a step.
        foreach (var (_, parameter) in lastLayer) parameter.grad = null;
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position)
    {
        loss.MoveCenter();
        Teacher.MoveTowards(Student, teacherMomentum.At(position.Step));
    }

    /// <inheritdoc/>
    public void Observe(TrainingPosition position, double loss)
    {
        if (position.Epoch > 0) monitor.Observe(loss);
    }

    /// <summary>Frees the centre; the branches are the caller's.</summary>
    public void Dispose() => loss.Dispose();
}
