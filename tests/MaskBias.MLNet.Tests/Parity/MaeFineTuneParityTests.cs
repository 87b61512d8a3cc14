using System.Text.Json;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>An epoch of fine-tuning against the published MAE code: groups, learning rates, losses, parameters.</summary>
[Trait("Category", "Parity")]
public class MaeFineTuneParityTests
{
    private static FineTuneModel Model(ReferenceCase fixture, bool globalPool)
    {
        var options = new VitOptions
        {
            ImageSize = fixture.Int("img_size"), PatchSize = fixture.Int("patch_size"), EmbedDim = fixture.Int("embed_dim"),
            Depth = fixture.Int("depth"), Heads = fixture.Int("num_heads"),
            Pooling = globalPool ? FeaturePooling.NormalizedMean : FeaturePooling.ClassToken,
        };
        var model = new FineTuneModel(new VisionTransformer(options), fixture.Int("classes"), CPU, seed: 1);
        using var _ = no_grad();
        foreach (var (name, parameter) in model.Parameters)
            parameter.copy_(fixture.Read(globalPool ? "model_global_pool" : "model_cls", Published(name, globalPool)));
        return model;
    }

    // the norm after the pooling
    private static string Published(string name, bool globalPool) => globalPool && name.StartsWith("norm.", StringComparison.Ordinal) ? "fc_" + name : name;

    [Theory]
    [InlineData("global_pool")]
    [InlineData("cls_token")]
    public void Groups_match(string kind)
    {
        using var fixture = new ReferenceCase("mae_finetune");
        using var scope = NewDisposeScope();
        using var model = Model(fixture, kind == "global_pool");
        using var groups = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("mae_finetune/lrd_groups.json")));
        int depth = fixture.Int("depth"), seen = 0;
        foreach (var group in groups.RootElement.GetProperty(kind).EnumerateArray())
        {
            var names = group.GetProperty("params").EnumerateArray().Select(n => n.GetString()!).ToHashSet();
            foreach (var (name, parameter) in model.Parameters.Where(p => names.Contains(Published(p.Name, kind == "global_pool"))))
            {
                seen++;
                Assert.Equal(group.GetProperty("lr_scale").GetDouble(), LayerDecay.Scale(name, depth, fixture.Double("layer_decay")), 1e-15);
                Assert.Equal(group.GetProperty("weight_decay").GetDouble() > 0, LayerDecay.TakesWeightDecay(name, parameter.dim()));
            }
            Assert.NotEmpty(names);
        }
        Assert.Equal(model.Parameters.Count(), seen);
    }

    [Theory]
    [InlineData("global_pool")]
    [InlineData("cls")]
    public void Logits_match(string kind)
    {
        using var fixture = new ReferenceCase("mae_finetune");
        using var scope = NewDisposeScope();
        using var model = Model(fixture, kind == "global_pool");
        Near.Equal(fixture.Read("io", $"output.logits.{kind}"), model.Forward(fixture.Read("io", "input")), 1e-5, "logits");
    }

    [Theory]
    [InlineData("ls", 0)]
    [InlineData("clip", 0.5)]
    public void An_epoch_matches(string variant, double clip)
    {
        using var fixture = new ReferenceCase("mae_finetune");
        using var scope = NewDisposeScope();
        using var model = Model(fixture, globalPool: true);
        using var normalizer = new VisionEncoder(model.Backbone);
        int perEpoch = fixture.Int("niter"), first = fixture.Int("start_epoch") * perEpoch, batch = fixture.Int("batch");
        var options = new FineTuneOptions
        {
            LayerDecay = fixture.Double("layer_decay"), Mixup = 0, Cutmix = 0, RandAugmentMagnitude = 0, RandomErasing = 0, ClipGradient = clip,
        };
        var plan = new TrainingPlan
        {
            Phase = "Fine-tuning", Epochs = fixture.Int("epochs"), StepsPerEpoch = perEpoch, BatchSize = batch,
            LearningRate = new(fixture.Double("lr"), fixture.Double("min_lr"), fixture.Int("epochs") * perEpoch,
                fixture.Int("warmup_epochs") * perEpoch, warmupReachesPeak: false),
            WeightDecay = new(fixture.Double("wd"), fixture.Double("wd"), 1),
        };
        double[] schedule = fixture.Doubles("steps", "lr_schedule"), losses = fixture.Doubles("steps", $"{variant}.losses");
        for (int i = 0; i < schedule.Length; i++) Near.Equal(schedule[i], plan.LearningRate.At(i), 1e-12, $"learning rate {i}");

        int[] classes = [.. Enumerable.Range(0, perEpoch).SelectMany(s => fixture.Doubles("steps", $"target.step{s}")).Select(c => (int)c)];
        var method = new FineTuneMethod(options, model, null, normalizer, classes, fixture.Int("classes"), null, seed: 1);
        var optimizer = FineTuneRun.Optimizer(model, options);
        using var loop = new TrainingLoop<ViewBatch>(plan, method, optimizer);
        for (int step = 0; step < perEpoch; step++)
        {
            var views = new ViewBatch(new(1, fixture.Read("steps", $"input.step{step}"), null), null) { Rows = [.. Enumerable.Range(step * batch, batch)] };
            Near.Equal(losses[step], loop.Step(views, new(fixture.Int("start_epoch"), first + step)), 1e-5, $"loss {step}");
            if (clip > 0) Near.Equal(fixture.Doubles("steps", "clip.grad_norms_total")[step], method.GradientNorm, 1e-4, $"gradient {step}");
        }
        Assert.Equal(fixture.Doubles("steps", $"{variant}.group_lrs_last").Order(), optimizer.LearningRates.Order(), (a, b) => Math.Abs(a - b) < 1e-12);

        int seen = 0;
        foreach (var (name, parameter) in model.Parameters)
        {
            string key = $"{variant}.after{perEpoch}.{Published(name, true)}";
            if (!fixture.File_("steps").Contains(key)) continue;
            seen++;
            var (expected, actual) = (fixture.Read("steps", key), (Tensor)parameter);
            if (name.EndsWith("attn.qkv.bias", StringComparison.Ordinal))
            {
                // The keys' bias has a true gradient of 0: Adam makes rounding noise of it into steps.
                int width = (int)expected.shape[0] / 3;
                (expected, actual) = (cat([expected[..width], expected[(2 * width)..]]), cat([actual[..width], actual[(2 * width)..]]));
            }
            Near.Equal(expected, actual, 1e-4, key);
        }
        Assert.Equal(fixture.File_("steps").Entries.Count(e => e.Name.StartsWith($"{variant}.after{perEpoch}.", StringComparison.Ordinal)), seen);
        Assert.True(seen > 0);
    }
}
