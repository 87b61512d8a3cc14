using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.FineTuning.SemiSupervised;

/// <summary>The formulas of Semi-ViT's second stage on numbers that can be checked by hand, and its steps.</summary>
[Collection(nameof(LiveTensors))]
public sealed class SemiSupervisedMethodTests : IDisposable
{
    private const int Classes = 3, LabelledRows = 4, UnlabelledRows = 6;

    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly FineTuneModel student, teacher;

    public SemiSupervisedMethodTests()
    {
        (student, teacher) = (Model(2), Model(3));

        FineTuneModel Model(long seed)
        {
            var model = new FineTuneModel(new VisionTransformer(encoder.Model.Options, seed), Classes, CPU, seed);
            using var _ = no_grad();
            using var generator = new Generator((ulong)seed, CPU);
            model.Head.weight!.normal_(0, 1, generator);
            return model;
        }
    }

    [Fact]
    public void The_teacher_names_its_likeliest_class_and_how_sure_it_is()
    {
        using var scope = NewDisposeScope();
        var labels = PseudoLabels.From(tensor(new[,] { { 0.7f, 0.2f, 0.1f }, { 0.3f, 0.3f, 0.4f } }).log());
        Near.Equal(tensor(new[,] { { 1f, 0f, 0f }, { 0f, 0f, 1f } }), labels.Targets, 0, "targets");
        Near.Equal(tensor([0.7f, 0.4f]), labels.Confidences, 1e-6, "confidences");
        Assert.False(labels.Targets.requires_grad);
    }

    // λ = c_i / (c_i + c_π(i)): 0.9 with 0.3 gives 3/4 and 1/4.
    [Fact]
    public void Pseudo_mixup_weighs_by_confidence_and_keeps_the_larger()
    {
        using var scope = NewDisposeScope();
        var images = tensor([8f, 4f]).view(2, 1, 1, 1).expand(2, 3, 2, 2);
        var labels = new PseudoLabels(tensor(new[,] { { 1f, 0f }, { 0f, 1f } }), tensor([0.9f, 0.3f]));
        var (mixed, mixedLabels) = PseudoMixup.Apply(images, labels);
        Near.Equal(tensor([7f, 7f]).view(2, 1, 1, 1).expand(2, 3, 2, 2), mixed, 1e-6, "3/4·8 + 1/4·4, 1/4·4 + 3/4·8");
        Near.Equal(tensor(new[,] { { 0.75f, 0.25f }, { 0.75f, 0.25f } }), mixedLabels.Targets, 1e-6, "targets");
        Near.Equal(tensor([0.9f, 0.9f]), mixedLabels.Confidences, 0, "confidences");
        Near.Equal(tensor([1f, 1f]), mixedLabels.Accepted(0.6), 0, "the threshold counts after mixing");
        Near.Equal(tensor([1f, 0f]), labels.Accepted(0.6), 0, "before it");
    }

    [Fact]
    public void The_middle_one_of_an_odd_number_stays_as_it_is()
    {
        using var scope = NewDisposeScope();
        var images = randn(3, 3, 2, 2);
        var labels = new PseudoLabels(eye(3), tensor([0.6f, 0.5f, 0.2f]));
        var (mixed, mixedLabels) = PseudoMixup.Apply(images, labels);
        Near.Equal(images[1], mixed[1], 1e-6, "image");
        Near.Equal(labels.Targets[1], mixedLabels.Targets[1], 1e-6, "target");
        Near.Equal(images[0] * 0.75 + images[2] * 0.25, mixed[0], 1e-6, "the first meets the last");
        Near.Equal(tensor([0.6f, 0.5f, 0.6f]), mixedLabels.Confidences, 0, "confidences");
    }

    [Fact]
    public void Images_below_the_threshold_count_as_nothing_but_count()
    {
        using var scope = NewDisposeScope();
        var labels = new PseudoLabels(tensor(new[,] { { 1f, 0f }, { 0f, 1f }, { 1f, 0f } }), tensor([0.7f, 0.59f, 0.6f]));
        var logits = tensor(new[,] { { 0.5f, 0.5f }, { 0.9f, 0.1f }, { 0.25f, 0.75f } }).log();
        Assert.Equal((Math.Log(2) + Math.Log(4)) / 3, labels.Loss(logits, 0.6f).ToDouble(), 1e-6);
        Assert.Equal(0, labels.Loss(logits, 0.71).ToDouble());
    }

    [Fact]
    public void The_loss_is_the_labelled_ones_and_the_weighted_one_of_the_strong_views_under_the_teachers_names()
    {
        using var scope = NewDisposeScope();
        using var batch = Batch();
        double threshold;
        var options = Quick();
        options.PseudoMixup = false;
        var method = Method(options);
        DifferentTeacher();
        Tensor expected;
        using (no_grad())
        {
            var views = batch.Unlabelled.Global.Images;
            var named = teacher.Forward(views[..UnlabelledRows]).softmax(-1);
            var confidences = named.amax([1]);
            threshold = confidences.median().ToDouble();                        // some are rejected, some are not
            var logits = student.Forward(views[UnlabelledRows..]);
            var ofImages = nn.functional.cross_entropy(logits, named.argmax(1), reduction: nn.Reduction.None);
            expected = (ofImages * (confidences >= threshold)).mean();
            Assert.InRange((confidences >= threshold).sum().ToInt64(), 1, UnlabelledRows - 1);
        }
        options.ConfidenceThreshold = threshold;
        student.Train(false);
        options.UnlabelledWeight = 0;
        double labelled = method.Loss(batch, default).ToDouble();
        var ofLabelled = student.Forward(batch.Labelled.Global.Images);
        Assert.Equal(nn.functional.cross_entropy(ofLabelled, tensor(new long[] { 0, 1, 2, 0 })).ToDouble(), labelled, 1e-5);
        options.UnlabelledWeight = 5;
        Assert.Equal(labelled + 5 * expected.ToDouble(), method.Loss(batch, default).ToDouble(), 1e-4);
        options.ConfidenceThreshold = 1;
        Assert.Equal(labelled, method.Loss(batch, default).ToDouble(), 1e-6);
        Assert.Equal(0, method.Metrics["pseudo labels used"]);
        Assert.InRange(method.Metrics["teacher confidence"], 1.0 / Classes, 1);
    }

    [Fact]
    public void The_student_learns_and_the_teacher_follows()
    {
        using var scope = NewDisposeScope();
        using var batch = Batch();
        using var loop = Loop(Quick());
        var before = Copies(teacher);
        Assert.All(Pairs.Of(before, Copies(student)), p => Near.Equal(p.First, p.Second, 0, "the start"));
        loop.Step(batch, default);
        var after = Copies(student);
        foreach (var (was, moved, now) in before.Zip(after, Copies(teacher))) Near.Equal(was * 0.9 + moved * 0.1, now, 1e-6, "teacher");
        Assert.True(before.Zip(after).Max(p => Near.Difference(p.First, p.Second)) > 1e-4);
        Assert.All(teacher.Parameters, p => Assert.True(p.Parameter.grad is null));
    }

    [Fact]
    public void A_step_leaves_no_tensor()
    {
        var options = Quick();
        (options.Supervised.RandAugmentMagnitude, options.Supervised.Mixup) = (9, 0.8);
        options.RandomErasing = options.Supervised.RandomErasing = 0.5;
        using var loop = Loop(options);
        Step(0);
        Step(1);
        long before = LiveTensors.OfThisThread;
        for (int i = 2; i < 6; i++) Step(i);
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Step(int step)
        {
            using var batch = Batch();
            Assert.True(double.IsFinite(loop.Step(batch, new(0, step))));
        }
    }

    private static SemiSupervisedOptions Quick() => new()
    {
        ConfidenceThreshold = 0, RandomErasing = 0,
        Supervised = new()
        {
            EmaMomentum = 0.9, DropPath = 0, Mixup = 0, Cutmix = 0, RandAugmentMagnitude = 0, RandomErasing = 0, LabelSmoothing = 0,
        },
    };

    private static SemiSupervisedBatch Batch()
    {
        using var generator = new Generator(5, CPU);
        return new(Views(1, LabelledRows), Views(2, UnlabelledRows));

        ViewBatch Views(int views, int rows)
        {
            var images = randn([views * rows, 3, 32, 32], generator: generator).DetachFromDisposeScope();
            return new(new(views, images, null), null) { Rows = [.. Enumerable.Range(0, rows)] };
        }
    }

    private static List<Tensor> Copies(FineTuneModel model) => [.. model.Parameters.Select(p => p.Parameter.detach().clone())];

    private SemiSupervisedMethod Method(SemiSupervisedOptions options)
    {
        var labelled = new FineTuneMethod(options.Supervised, student, teacher, encoder, [0, 1, 2, 0], Classes, null, seed: 1);
        return new(options, labelled, student, teacher);
    }

    // As after some steps.
    private void DifferentTeacher()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var generator = new Generator(9, CPU);
        teacher.Head.weight!.normal_(0, 1, generator);
    }

    private TrainingLoop<SemiSupervisedBatch> Loop(SemiSupervisedOptions options) => new(
        new()
        {
            Phase = "Test", Epochs = 1, StepsPerEpoch = 10, BatchSize = LabelledRows, LearningRate = new(1e-3, 1e-3, 10),
            WeightDecay = new(0, 0, 10),
        },
        Method(options), FineTuneRun.Optimizer(student, options.Supervised));

    public void Dispose()
    {
        student.Dispose();
        teacher.Dispose();
        encoder.Dispose();
    }
}
