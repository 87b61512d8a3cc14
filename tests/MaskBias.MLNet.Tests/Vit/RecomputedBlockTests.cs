using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

/// <summary>Blocks whose inside is computed again for the gradients train as those that keep it.</summary>
[Collection(nameof(LiveTensors))]
public sealed class RecomputedBlockTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private const double Double = 1e-12;
    private const float Single = 1e-4f;

    private readonly MLContext ml = new(1);

    [Theory]
    [InlineData(MaskRelation.Both, 0.0, ScalarType.Float64)]
    [InlineData(MaskRelation.Both, 0.4, ScalarType.Float64)]
    [InlineData(MaskRelation.Positive, 0.4, ScalarType.Float64)]
    [InlineData(MaskRelation.Negative, 0.4, ScalarType.Float64)]
    [InlineData(null, 0.4, ScalarType.Float64)]
    [InlineData(null, 0.4, ScalarType.BFloat16)]
    public void The_gradients_are_those_of_blocks_that_keep_everything(MaskRelation? relation, double dropPath, ScalarType computed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var type = computed == ScalarType.BFloat16 ? ScalarType.Float32 : computed;
        var options = TinyTraining.Encoder(imageSize: 32);
        (options.Depth, options.DropPath, options.RegisterTokens, options.LayerScale) = (3, dropPath, 2, 0.5);
        if (relation is { } used) options.MaskBias = new() { InitialValue = 0.5f, Relation = used };
        // Two sizes in one pass, as DINO has them, one of them with no gradient from half of its rows.
        var (large, small) = (randn([4, 3, 32, 32], type, generator: generator), randn([6, 3, 16, 16], type, generator: generator));
        var (largeMasks, smallMasks) = (rand([4, 3, 16], type, generator: generator), rand([6, 3, 4], type, generator: generator));
        var (kept, lossKept) = Gradients(recompute: false);
        var (again, loss) = Gradients(recompute: true);

        Assert.Equal(lossKept, loss, Double);
        Assert.Equal(kept.Keys, again.Keys);
        foreach (var (name, gradient) in kept)
        {
            double off = (gradient - again[name]).abs().max().ToDouble();
            Assert.True(off <= Double, $"{name} differs by {off}");
        }
        // In the last block, no mask touches the class token.
        string weight = relation == MaskRelation.Negative ? "blocks.0.attn.mask_beta" : "blocks.0.attn.mask_alpha";
        if (relation is not null) Assert.NotEqual(0, kept[weight].abs().max().ToDouble());

        (Dictionary<string, Tensor> Gradients, double Loss) Gradients(bool recompute)
        {
            using var model = new VisionTransformer(options, 1) { RecomputesBlocks = recompute };
            model.to(type);
            if (computed != type) model.ComputeType = computed;
            model.train();
            var first = model.Forward(large, relation is null ? null : largeMasks);
            var second = model.Forward(small, relation is null ? null : smallMasks);
            var loss = first.square().mean() + second[..3].pow(3).mean();
            loss.backward();
            BackwardPass.End();
            var left = rand([1], generator: model.Generator);                    // what is drawn next is the same, too
            return (model.named_parameters().Where(p => p.parameter.requires_grad)
                .ToDictionary(p => p.name, p => p.parameter.grad!.clone()), loss.ToDouble() + left.ToDouble());
        }
    }

    [Fact]
    public void A_run_gives_the_same_weights_to_the_bit_though_half_of_it_was_resumed()
    {
        using var folder = new TempFolder();
        var whole = Train(recompute: false, null, new(), default);
        using (var cancel = new CancellationTokenSource())
        {
            var stop = new Each(p =>
            {
                if (p.Step == 3) cancel.Cancel();
            });
            var output = new RunOutputOptions { Folder = folder.Path, CheckpointEpochs = 0 };
            Assert.Throws<OperationCanceledException>(() => Train(recompute: true, stop, output, cancel.Token));
        }
        var goesOn = new RunOutputOptions { Folder = folder.Path, WhenUsed = ExistingRun.Resume };
        TinyTraining.AssertSame(whole, Train(recompute: true, null, goesOn, default));

        Dictionary<string, float[]> Train(bool recompute, IProgress<TrainingProgress>? progress, RunOutputOptions output, CancellationToken cancel)
        {
            var options = TinyTraining.Dino().With(o =>
            {
                (o.Epochs, o.DropPath, o.RecomputeBlocks) = (3, 0.3, recompute);
                (o.Progress, o.Output, o.CancellationToken) = (progress, output, cancel);
            });
            using var model = ml.SelfSupervised().Dino(options).Fit(scenes.Load(ml));
            return TinyTraining.Weights(model.Encoder);
        }
    }

    // The fused attention rounds in another way where its bias needs no gradient, as in the first of the two passes.
    [Fact]
    public void A_run_with_masks_gives_the_same_weights()
    {
        var (expected, actual) = (Train(recompute: false), Train(recompute: true));
        foreach (var (name, values) in expected)
        {
            // The keys' bias has a true gradient of 0, of which Adam makes steps.
            if (name.EndsWith("qkv.bias", StringComparison.Ordinal)) continue;
            Assert.All(Pairs.Of(values, actual[name]), v => Assert.Equal(v.First, v.Second, Single));
        }

        Dictionary<string, float[]> Train(bool recompute)
        {
            var options = TinyTraining.MaskedDino();
            (options.Epochs, options.DropPath, options.FreezeBiasEpochs, options.RecomputeBlocks) = (3, 0.3, 0, recompute);
            using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Fact]
    public void So_does_MAE_whose_batches_come_in_parts_its_distillation_and_what_is_tuned()
    {
        var data = scenes.Load(ml);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        var (expected, actual) = (Train(recompute: false), Train(recompute: true));
        Assert.All(Pairs.Of(expected, actual), t => TinyTraining.AssertSame(t.First, t.Second));

        Dictionary<string, float[]>[] Train(bool recompute)
        {
            var options = TinyTraining.Mae().With(o => (o.BatchSize, o.AccumulationSteps, o.RecomputeBlocks) = (4, 2, recompute));
            using var teacher = ml.SelfSupervised().Mae(options).Fit(data);
            var distilling = TinyTraining.Distillation().With(o => o.RecomputeBlocks = recompute);
            using var student = ml.SelfSupervised().Distill(teacher, distilling).Fit(data);
            var tuning = new FineTuneOptions
            {
                Epochs = 2, BatchSize = 4, Seed = 2, Device = ComputeDevice.Cpu, DropPath = 0.3, LoaderThreads = 1, TrainableBlocks = 2,
                RecomputeBlocks = recompute,
            };
            using var tuned = ml.MulticlassClassification.Trainers.FineTune(student.Encoder, tuning).Fit(keyed);
            return [TinyTraining.Weights(teacher.Encoder), TinyTraining.Weights(student.Encoder), TinyTraining.Weights(tuned.Encoder)];
        }
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using DinoBranch student = TinyTraining.Branch(TinyTraining.Encoder()), teacher = TinyTraining.Branch(TinyTraining.Encoder());
        student.Backbone.RecomputesBlocks = true;
        using var method = new DinoMethod(TinyTraining.Dino(), student, teacher, 100, CPU);
        var plan = new TrainingPlan
        {
            Phase = "DINO", Epochs = 1, StepsPerEpoch = 100, BatchSize = 2, LearningRate = new(1e-3, 1e-6, 100), WeightDecay = new(0.04, 0.4, 100),
        };
        using var batch = TinyTraining.Batch(2, masks: false);
        using var loop = new TrainingLoop<ViewBatch>(plan, method);
        loop.Step(batch, new(1, 0));
        long tensors = LiveTensors.OfThisThread, process = LiveTensors.InProcess();
        for (int step = 1; step < 100; step++)
        {
            loop.Step(batch, new(1, step));
            Assert.Equal(tensors, LiveTensors.OfThisThread);
        }
        Assert.Equal(process, LiveTensors.InProcess());
    }

    [Fact]
    public void What_fails_in_the_second_pass_is_thrown_after_it()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyTraining.Encoder().With(o => o.DropPath = 0.5), 1) { RecomputesBlocks = true };
        model.train();
        var loss = model.forward(randn(2, 3, 16, 16)).sum();
        model.JoinRanks(new(OneRank.Instance, new([0, 1, 2], 6)));             // the second pass cannot draw for two rows
        loss.backward();
        Assert.Contains("2 rows", Assert.Throws<ArgumentException>(BackwardPass.End).Message, StringComparison.Ordinal);
        BackwardPass.End();                   // once
    }
}
