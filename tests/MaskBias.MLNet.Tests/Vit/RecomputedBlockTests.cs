using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

/// <summary>Blocks whose inside is computed again for the gradients train as those that keep it.</summary>
[Collection(nameof(LiveTensors))]
public sealed class RecomputedBlockTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_gives_the_same_weights_with_masks_and_stochastic_depth(bool masked)
    {
        var data = masked ? scenes.LoadWithMasks(ml) : scenes.Load(ml);
        TinyTraining.AssertSame(Train(recompute: false), Train(recompute: true));

        Dictionary<string, float[]> Train(bool recompute)
        {
            var options = (masked ? TinyTraining.MaskedDino() : TinyTraining.Dino())
                .With(o => (o.Epochs, o.DropPath, o.FreezeBiasEpochs, o.RecomputeBlocks) = (3, 0.3, 0, recompute));
            using var model = ml.SelfSupervised().Dino(options).Fit(data);
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Fact]
    public void So_does_a_run_of_MAE_whose_batches_come_in_parts_and_its_distillation()
    {
        var data = scenes.Load(ml);
        TinyTraining.AssertSame(Train(recompute: false), Train(recompute: true));

        Dictionary<string, float[]> Train(bool recompute)
        {
            var options = TinyTraining.Mae().With(o => (o.BatchSize, o.AccumulationSteps, o.RecomputeBlocks) = (4, 2, recompute));
            using var teacher = ml.SelfSupervised().Mae(options).Fit(data);
            using var student = ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o => o.RecomputeBlocks = recompute)).Fit(data);
            return TinyTraining.Weights(student.Encoder);
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
        long tensors = LiveTensors.OfThisThread;
        for (int step = 1; step < 100; step++)
        {
            loop.Step(batch, new(1, step));
            Assert.Equal(tensors, LiveTensors.OfThisThread);
        }
    }

    [Fact]
    public void What_fails_in_the_second_pass_is_thrown_after_it()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyTraining.Encoder().With(o => o.DropPath = 0.5), 1) { RecomputesBlocks = true };
        model.train();
        var loss = model.forward(randn(2, 3, 16, 16)).sum();
        model.Generator.Dispose();                       // the second pass cannot draw
        loss.backward();
        Assert.ThrowsAny<Exception>(RecomputedBlock.ThrowFault);
        RecomputedBlock.ThrowFault();                    // once
    }
}
