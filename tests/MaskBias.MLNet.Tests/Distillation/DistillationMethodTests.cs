using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Distillation;

/// <summary>The distillation loss (Eq. 4), against sums written out by hand.</summary>
public sealed class DistillationMethodTests : IDisposable
{
    private readonly DinoBranch teacher, student;

    public DistillationMethodTests()
    {
        var guided = TinyTraining.Encoder();
        guided.MaskBias = new() { InitialValue = 2 };
        (teacher, student) = (TinyTraining.Branch(guided, seed: 1), TinyTraining.Branch(TinyTraining.Encoder(), seed: 2));
        teacher.Freeze();
    }

    [Fact]
    public void The_target_is_the_teachers_softmax_with_masks_and_nothing_is_subtracted()
    {
        using var scope = NewDisposeScope();
        using var method = new DistillationMethod(TinyTraining.Distillation().With(o => o.TeacherTemperature = 0.07), student, teacher);
        using var batch = TinyTraining.Batch(3, masks: true);

        var target = softmax(teacher.Head.forward(teacher.Backbone.Forward(batch.Global.Images, batch.Global.MaskTokens)) / 0.07, -1);
        var views = new[] { batch.Global.Images, batch.Local!.Images };
        var logits = cat([.. views.Select(v => student.Head.forward(student.Backbone.Forward(v, null)))], 0);
        var logs = nn.functional.log_softmax(logits / 0.1, -1);
        double expected = BruteForce(target, logs, globalViews: 2, images: 3);

        // Twice: a centre would have moved in between.
        Assert.Equal(expected, method.Loss(batch, new(0, 0)).ToDouble(), 1e-5);
        Assert.Equal(expected, method.Loss(batch, new(0, 1)).ToDouble(), 1e-5);
        Assert.NotNull(batch.Global.MaskTokens);
    }

    [Fact]
    public void Only_the_student_gets_gradients()
    {
        using var scope = NewDisposeScope();
        using var method = new DistillationMethod(TinyTraining.Distillation(), student, teacher);
        using var batch = TinyTraining.Batch(3, masks: true);
        method.Loss(batch, new(0, 0)).backward();
        Assert.All(teacher.Parameters, p => Assert.Null(p.Parameter.grad));
        Assert.All(student.Parameters.Where(p => p.Parameter.requires_grad), p => Assert.NotNull(p.Parameter.grad));
        Assert.Equal(student.Parameters.Select(p => p.Name), method.Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Several_ranks_refuse_a_head_with_batch_normalisation()
    {
        var head = TinyTraining.Head();
        head.UseBatchNorm = true;
        using DinoBranch normalized = Normalized(), other = Normalized();
        using var distillation = new DistillationMethod(TinyTraining.Distillation(), normalized, teacher);
        using var dino = new DinoMethod(TinyTraining.Dino(), normalized, other, steps: 1, CPU);
        foreach (var method in new ITrainingMethod<ViewBatch>[] { distillation, dino })
        {
            string message = Assert.Throws<NotSupportedException>(() => method.JoinRanks(RankShare.Of(OneRank.Instance, 2))).Message;
            Assert.Contains("UseBatchNorm is true", message);
        }

        DinoBranch Normalized() => new(new(TinyTraining.Encoder(), 1), new(student.Head.InputDim, head, 1));
    }

    [Fact]
    public void The_student_comes_close_to_the_teacher_on_a_batch_seen_again_and_again()
    {
        using var batch = TinyTraining.Batch(4, masks: true, local: false);
        using var method = new DistillationMethod(TinyTraining.Distillation(), student, teacher);
        var plan = new TrainingPlan
        {
            Phase = "Distillation", Epochs = 1, StepsPerEpoch = 60, BatchSize = 4, LearningRate = new(3e-3, 3e-3, 60),
            WeightDecay = new(0, 0, 60),
        };
        using var loop = new TrainingLoop<ViewBatch>(plan, method);
        var losses = Enumerable.Range(0, 60).Select(step => loop.Step(batch, new(0, step))).ToList();
        Assert.True(losses.TakeLast(10).Max() < losses.Take(3).Min() - 0.01, $"from {losses[0]} to {losses[^1]}");
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 3)]
    [InlineData(3, 1)]
    public void Pairs_of_views_are_averaged_as_a_double_loop_does(int globalViews, int localViews)
    {
        using var scope = NewDisposeScope();
        const int images = 4, prototypes = 7;
        var targets = softmax(randn(globalViews * images, prototypes) * 3, -1);
        var logits = randn((globalViews + localViews) * images, prototypes) * 2;
        double expected = BruteForce(targets, nn.functional.log_softmax(logits, -1), globalViews, images);
        Assert.Equal(expected, ViewPairs.CrossEntropy(targets, logits, globalViews).ToDouble(), 1e-5);
    }

    [Theory]
    [InlineData(8, 5)]      // no whole number of views
    [InlineData(8, 4)]      // one view
    [InlineData(7, 14)]     // no whole number of global views
    public void Rows_that_make_no_views_are_refused(int targetRows, int logitRows)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => ViewPairs.CrossEntropy(rand(targetRows, 3), rand(logitRows, 3), globalViews: 2));
        Assert.Contains($"{logitRows} predicted rows and {targetRows} target rows", error.Message);
    }

    public void Dispose()
    {
        teacher.Dispose();
        student.Dispose();
    }

    private static double BruteForce(Tensor targets, Tensor logProbabilities, int globalViews, int images)
    {
        int views = (int)logProbabilities.shape[0] / images, pairs = 0;
        double sum = 0;
        for (int g = 0; g < globalViews; g++)
        {
            for (int v = 0; v < views; v++)
            {
                if (v == g) continue;
                pairs++;
                for (int image = 0; image < images; image++)
                {
                    float[] target = TinyTraining.Values(targets[g * images + image]),
                        log = TinyTraining.Values(logProbabilities[v * images + image]);
                    sum -= target.Zip(log, (t, l) => (double)t * l).Sum() / images;
                }
            }
        }
        return sum / pairs;
    }
}
