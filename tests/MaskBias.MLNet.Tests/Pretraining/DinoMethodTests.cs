using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>DINO's steps: what is frozen when, and what follows what.</summary>
public sealed class DinoMethodTests
{
    private const double Rate = 1e-3;
    private const int StepsPerEpoch = 2;

    [Fact]
    public void Alpha_keeps_its_start_value_while_frozen_then_starts_with_fresh_optimizer_state()
    {
        using var run = new Run(o => (o.FreezeBiasEpochs, o.MaskBias.InitialValue, o.FreezeLastLayerEpochs) = (2, 0.25, 0), epochs: 4);
        run.Train((epoch, step, method) =>
        {
            float[] student = Alpha(method.Student), teacher = Alpha(method.Teacher);
            if (epoch < 2)
            {
                Assert.All(student.Concat(teacher), value => Assert.Equal(0.25f, value));
                Assert.All(method.Student.Backbone.BiasParameters, p => Assert.False(p.requires_grad));
            }
            else if (step == 2 * StepsPerEpoch)
            {
                // AdamW's first step has the length of the learning rate; with state from the frozen epochs it would be shorter.
                Assert.All(student, value => Assert.Equal(Rate, Math.Abs(value - 0.25), 0.03 * Rate));
            }
        });
        Assert.All(Alpha(run.Method.Student), value => Assert.NotEqual(0.25f, value));
    }

    [Fact]
    public void Alpha_takes_no_weight_decay()
    {
        using var branch = TinyTraining.Branch(Guided(new()));
        var bias = branch.Parameters.Where(p => p.Name.Contains("mask_alpha", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, bias.Count);
        Assert.All(bias, p => Assert.False(DecoupledAdam.Decays(p.Name, p.Parameter)));
        Assert.True(DecoupledAdam.Decays("backbone.blocks.0.attn.qkv.weight", branch.Backbone.get_parameter("blocks.0.attn.qkv.weight")!));
        Assert.False(DecoupledAdam.Decays("backbone.blocks.0.attn.qkv.bias", branch.Backbone.get_parameter("blocks.0.attn.qkv.bias")!));
        Assert.False(DecoupledAdam.Decays("backbone.norm.weight", branch.Backbone.get_parameter("norm.weight")!));
    }

    [Fact]
    public void The_teacher_is_the_moving_average_of_the_student_alpha_included()
    {
        using var run = new Run(o => (o.FreezeBiasEpochs, o.TeacherMomentum, o.FreezeLastLayerEpochs) = (0, 0.8, 0), epochs: 2);
        var momentum = new CosineSchedule(0.8, 1, 2 * StepsPerEpoch);
        var expected = run.Method.Teacher.Parameters.ToDictionary(p => p.Name, p => TinyTraining.Values(p.Parameter));
        run.Train((_, step, method) =>
        {
            float m = (float)momentum.At(step);
            foreach (var (name, parameter) in method.Student.Parameters)
            {
                float[] mean = expected[name], now = TinyTraining.Values(parameter);
                for (int i = 0; i < mean.Length; i++) mean[i] = m * mean[i] + (1 - m) * now[i];
            }
            foreach (var (name, parameter) in method.Teacher.Parameters)
            {
                Assert.All(Pairs.Of(TinyTraining.Values(parameter), expected[name]), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
                Assert.False(parameter.requires_grad);
            }
        });
        Assert.All(Alpha(run.Method.Teacher), value => Assert.NotEqual(0, value));
    }

    [Fact]
    public void The_prototypes_rest_for_the_first_epochs()
    {
        using var run = new Run(o => o.FreezeLastLayerEpochs = 1, epochs: 2);
        float[] start = Prototypes(run.Method);
        run.Train((epoch, _, method) => Assert.Equal(epoch == 0, start.AsSpan().SequenceEqual(Prototypes(method))));

        static float[] Prototypes(DinoMethod method) =>
            TinyTraining.Values(method.Student.Parameters.Single(p => p.Name.EndsWith("weight_v", StringComparison.Ordinal)).Parameter);
    }

    [Fact]
    public void Other_masks_give_another_loss_and_alpha_a_gradient()
    {
        using var scope = NewDisposeScope();
        using var run = new Run(o => (o.FreezeBiasEpochs, o.MaskBias.InitialValue, o.DropPath) = (0, 1, 0), epochs: 1);
        run.Method.BeginEpoch(0);
        using var some = TinyTraining.Batch(4, masks: true);
        var fewer = some with { Global = some.Global with { MaskTokens = some.Global.MaskTokens! * 0.5 } };
        var none = new ViewBatch(some.Global with { MaskTokens = null }, some.Local! with { MaskTokens = null });
        double[] losses = [.. new[] { some, fewer, none }.Select(Loss)];
        Assert.Equal(3, losses.Distinct().Count());
        run.Method.Center.zero_();
        run.Method.Loss(some, new(0, 0)).backward();
        var (first, last) = (run.Method.Student.Backbone.BiasParameters[0], run.Method.Student.Backbone.BiasParameters[1]);
        Assert.True(first.grad!.abs().min().ToSingle() > 0);
        // The class token has no relations: what the last block does to the patches no longer reaches it.
        Assert.Equal(0, last.grad!.abs().max().ToSingle());

        double Loss(ViewBatch batch)
        {
            run.Method.Center.zero_();
            return run.Method.Loss(batch, new(0, 0)).ToDouble();
        }
    }

    [Fact]
    public void The_loss_is_the_one_worked_out_by_hand_and_the_centre_follows_the_teacher()
    {
        using var scope = NewDisposeScope();
        using var loss = new DinoLoss(outDim: 5, studentTemperature: 0.1, centerMomentum: 0.9, CPU);
        using var generator = new Generator(1, CPU);
        loss.Center.copy_(rand(1, 5, generator: generator));
        var center = TinyTraining.Values(loss.Center);
        Tensor student = randn(6, 5, generator: generator), teacher = randn(4, 5, generator: generator);      // 2 images; 2 global views and 1 local
        double value = loss.Forward(student, teacher, globalViews: 2, teacherTemperature: 0.04).ToDouble();

        double sum = 0;
        for (int g = 0; g < 2; g++)
        {
            for (int v = 0; v < 3; v++)
            {
                if (v == g) continue;
                for (int b = 0; b < 2; b++)
                {
                    double[] target = Softmax(TinyTraining.Values(teacher[g * 2 + b]).Zip(center, (t, c) => (t - c) / 0.04));
                    double[] prediction = Softmax(TinyTraining.Values(student[v * 2 + b]).Select(s => s / 0.1));
                    sum -= target.Zip(prediction, (t, p) => t * Math.Log(p)).Sum() / (4 * 2);
                }
            }
        }
        Assert.Equal(sum, value, 1e-4);
        Assert.Equal(center, TinyTraining.Values(loss.Center));                 // not before the step is done
        loss.MoveCenter();
        Near.Equal(0.9 * tensor(center) + 0.1 * teacher.mean([0]), loss.Center[0], 1e-6, "centre");

        static double[] Softmax(IEnumerable<double> logits)
        {
            double[] exp = [.. logits.Select(Math.Exp)];
            return [.. exp.Select(e => e / exp.Sum())];
        }
    }

    private static VitOptions Guided(DinoOptions options)
    {
        var encoder = TinyTraining.Encoder();
        (encoder.MaskBias, encoder.DropPath) = (options.MaskBias, options.DropPath);
        return encoder;
    }

    // Of the first block: the last one's has no part in the class token.
    private static float[] Alpha(DinoBranch branch) => branch.Backbone.BiasValues()[0].Alpha!;

    /// <summary>A run over one fixed batch at a constant learning rate.</summary>
    private sealed class Run : IDisposable
    {
        private readonly TrainingPlan plan;

        public Run(Action<DinoOptions> change, int epochs)
        {
            var options = TinyTraining.Dino().With(change);
            Method = new(options, TinyTraining.Branch(Guided(options)), TinyTraining.Branch(Guided(options), seed: 2),
                (long)epochs * StepsPerEpoch, CPU);
            plan = new()
            {
                Phase = "DINO", Epochs = epochs, StepsPerEpoch = StepsPerEpoch, BatchSize = 4, ClipGradient = 3,
                LearningRate = new(Rate, Rate, (long)epochs * StepsPerEpoch), WeightDecay = new(0.04, 0.4, (long)epochs * StepsPerEpoch),
            };
        }

        public DinoMethod Method { get; }

        public void Train(Action<int, long, DinoMethod> afterStep)
        {
            var check = new AfterStep(progress => afterStep(progress.Epoch - 1, progress.Step - 1, Method));
            using var loop = new TrainingLoop<ViewBatch>(plan, Method) { Progress = check };
            loop.Run(_ => Enumerable.Range(0, StepsPerEpoch).Select(_ => TinyTraining.Batch(4, masks: true)));
            Assert.Equal(plan.Steps, check.Count);
        }

        public void Dispose()
        {
            Method.Dispose();
            Method.Student.Dispose();
            Method.Teacher.Dispose();
        }
    }

    private sealed class AfterStep(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public int Count { get; private set; }

        public void Report(TrainingProgress value)
        {
            Count++;
            action(value);
        }
    }
}
