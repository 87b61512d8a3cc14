using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The linear probe of the published MAE code: LARS, normalised features, five steps.</summary>
[Trait("Category", "Parity")]
public class MaeLinearProbeParityTests
{
    [Theory]
    [InlineData("wd0", 0.5, 0, 0.9, 0.001)]
    [InlineData("wd", 0.5, 0.01, 0.9, 0.001)]
    [InlineData("mom", 1, 0.001, 0.8, 0.02)]
    public void Five_steps_match(string variant, double learningRate, double weightDecay, double momentum, double trust)
    {
        using var fixture = new ReferenceCase("mae_lars");
        using var scope = NewDisposeScope();
        int classes = fixture.Int("classes"), steps = fixture.File_("io").Entries.Count(e => e.Name.StartsWith("input.", StringComparison.Ordinal));
        // Two layers at once, of which the first learns at another rate: neither must notice the other.
        using var heads = new LinearHeads(2, classes, fixture.Int("dim"), normalizes: true, CPU, seed: 1);
        using (no_grad())
        {
            heads.Weight.copy_(fixture.Read("io", "init.weight").expand(2, -1, -1));
            heads.Bias.copy_(fixture.Read("io", "init.bias").expand(2, -1));
        }
        var plan = new TrainingPlan
        {
            Phase = "Linear probe", Epochs = 1, StepsPerEpoch = steps, BatchSize = fixture.Int("batch"),
            LearningRate = new(learningRate, learningRate, steps), WeightDecay = new(weightDecay, weightDecay, steps),
        };
        var method = new ProbeMethod(heads, classWeights: null);
        using var loop = new TrainingLoop<FeatureBatch>(plan, method, new StackedMomentum([heads.Weight, heads.Bias], [0.3f, 1], [1f, 1], momentum, trust));
        double[] losses = fixture.Doubles("io", $"{variant}.losses");
        for (int step = 0; step < steps; step++)
        {
            var batch = new FeatureBatch(fixture.Read("io", $"input.{step}"), fixture.Read("io", $"target.{step}"));
            loop.Step(batch, new(0, step));
            Near.Equal(fixture.Read("io", $"{variant}.after{step + 1}.weight"), heads.Weight[1], 1e-6, $"weight after {step + 1}");
            Near.Equal(fixture.Read("io", $"{variant}.after{step + 1}.bias"), heads.Bias[1], 1e-6, $"bias after {step + 1}");
        }
        Assert.Equal(steps, losses.Length);
        Near.Equal(fixture.Read("io", $"{variant}.running_mean"), heads.Mean, 1e-6, "mean");
        Near.Equal(fixture.Read("io", $"{variant}.running_var"), heads.Variance, 1e-6, "variance");

        // In use, and with the normalisation folded in.
        var (input, expected) = (fixture.Read("io", "input.0"), fixture.Read("io", $"{variant}.eval_logits"));
        Near.Equal(expected, heads.Logits(heads.Normalized(input, training: false))[.., 1], 1e-5, "logits");
        var folded = heads.Fold(1);
        var weight = stack(folded.Weights.Select(w => tensor(w)));
        Near.Equal(expected, matmul(input, weight.t()) + tensor(folded.Biases), 1e-5, "logits of the folded layer");
    }

    [Fact]
    public void Losses_match()
    {
        using var fixture = new ReferenceCase("mae_lars");
        using var scope = NewDisposeScope();
        using var heads = new LinearHeads(1, fixture.Int("classes"), fixture.Int("dim"), normalizes: true, CPU, seed: 1);
        using (no_grad())
        {
            heads.Weight.copy_(fixture.Read("io", "init.weight").unsqueeze(0));
            heads.Bias.copy_(fixture.Read("io", "init.bias").unsqueeze(0));
        }
        var batch = new FeatureBatch(fixture.Read("io", "input.0"), fixture.Read("io", "target.0"));
        double loss = new ProbeMethod(heads, null).Loss(batch, new(0, 0)).ToDouble();
        Near.Equal(fixture.Doubles("io", "wd0.losses")[0], loss, 1e-6, "loss");
    }
}
