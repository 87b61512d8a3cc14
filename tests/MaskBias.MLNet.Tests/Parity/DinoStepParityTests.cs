using MaskBias.MLNet.Training.Data;
using System.Text.Json;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Two epochs of training against the published DINO code: losses, gradients, centres, student and teacher.</summary>
[Trait("Category", "Parity")]
public class DinoStepParityTests
{
    [Theory]
    [InlineData("dino_step")]
    [InlineData("dino_step_clip")]
    public void Two_epochs_match(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase(name);
        int perEpoch = fixture.Int("niter"), steps = fixture.Int("epochs") * perEpoch, width = fixture.Int("embed_dim");
        using var method = Method(fixture, steps);
        double rate = fixture.Double("lr") * fixture.Int("batch") / 256;
        var plan = new TrainingPlan
        {
            Phase = "DINO", Epochs = fixture.Int("run_epochs"), StepsPerEpoch = perEpoch, BatchSize = fixture.Int("batch"),
            LearningRate = new(rate, fixture.Double("min_lr"), steps, fixture.Int("warmup_epochs") * perEpoch),
            WeightDecay = new(fixture.Double("wd"), fixture.Double("wd_end"), steps),
            ClipGradient = fixture.Double("clip_grad"),
        };
        double[] rates = fixture.Doubles("expected", "schedule.lr");
        for (int i = 0; i < rates.Length; i++) Near.Equal(rates[i], plan.LearningRate.At(i), 1e-12, $"learning rate {i}");
        using (var first = Method(fixture, steps)) CheckFirstStep(fixture, first);

        using var loop = new TrainingLoop<ViewBatch>(plan, method);
        int step = 0;
        double[] losses = fixture.Doubles("expected", "losses");
        var (norms, centers) = (fixture.Read("expected", "grad_norms"), fixture.Read("expected", "centers"));
        var order = JsonDocument.Parse(File.ReadAllText(Fixtures.Path($"{name}/groups.json"))).RootElement.GetProperty("params_with_grad_in_order").EnumerateArray().Select(e => e.GetString()!).ToList();
        var named = method.Parameters.Where(p => p.Parameter.requires_grad).Select(p => p.Name).ToList();
        double sumOfRates = 0;
        loop.Run(next => Enumerable.Range(0, perEpoch).Select(i => Batch(fixture, next.Epoch * perEpoch + i)).Select(batch =>
        {
            if (step > 0) CheckStep(step - 1);
            step++;
            return batch;
        }));
        CheckStep(step - 1);

        void CheckStep(int done)
        {
            sumOfRates += rates[done];
            Near.Equal(losses[done], loop.Losses[done], 1e-4, $"loss of step {done}");
            Near.Equal(centers[done], method.Center.view(-1), 1e-5, $"centre after step {done}");
            for (int i = 0; i < order.Count; i++)
            {
                double expected = norms[done][i].ToDouble(), actual = loop.LastNorms[named.IndexOf(order[i])];
                if (!order[i].EndsWith("attn.qkv.bias", StringComparison.Ordinal))
                    Near.Equal(expected, actual, 1e-4 * Math.Max(expected, 1e-2), $"gradient norm of {order[i]} in step {done}");
            }
            if (done == perEpoch - 1) CheckParameters(fixture, method, "expected", perEpoch, width, sumOfRates);
            if (done == 2 * perEpoch - 1) CheckParameters(fixture, method, "expected_later", 2 * perEpoch, width, sumOfRates);
        }
    }

    private static void CheckFirstStep(ReferenceCase fixture, DinoMethod method)
    {
        using var batch = Batch(fixture, 0);
        Near.Equal(fixture.Read("expected", "step0.student_output"), method.Student.Forward(batch.Groups), 1e-5, "student logits");
        Near.Equal(fixture.Read("expected", "step0.teacher_output"), method.Teacher.Forward([batch.Global]), 1e-5, "teacher logits");
        method.BeginEpoch(0);
        method.Loss(batch, new(0, 0)).backward();
        int seen = 0;
        foreach (var (name, parameter) in method.Parameters.Where(p => p.Parameter.grad is not null))
        {
            Near.Equal(fixture.Read("expected", "step0.grad." + name), parameter.grad!, 2e-5, "gradient of " + name);
            parameter.grad = null;
            seen++;
        }
        Assert.True(seen > 20);
    }

    private static void CheckParameters(ReferenceCase fixture, DinoMethod method, string file, int steps, int width, double sumOfRates)
    {
        foreach (var (side, branch) in new[] { ("student", method.Student), ("teacher", method.Teacher) })
        {
            int seen = 0;
            foreach (var (name, parameter) in branch.Parameters)
            {
                string key = $"after{steps}.{side}.{name}";
                if (!fixture.File_(file).Contains(key)) continue;
                seen++;
                var (expected, actual) = (fixture.Read(file, key), (Tensor)parameter);
                if (name.EndsWith("attn.qkv.bias", StringComparison.Ordinal))
                {
                    // The keys' bias has a true gradient of 0: Adam makes rounding noise into steps of up to the learning rate.
                    Near.Equal(expected[width..(2 * width)], actual[width..(2 * width)], sumOfRates, key + ", keys");
                    (expected, actual) = (cat([expected[..width], expected[(2 * width)..]]), cat([actual[..width], actual[(2 * width)..]]));
                }
                Near.Equal(expected, actual, 1e-4, key);
            }
            Assert.True(seen > 0, $"no {side} parameters in {file}");
        }
    }

    private static DinoMethod Method(ReferenceCase fixture, int steps)
    {
        var options = new DinoOptions
        {
            Encoder = new()
            {
                ImageSize = fixture.Int("img_size"), PatchSize = fixture.Int("patch_size"), EmbedDim = fixture.Int("embed_dim"),
                Depth = fixture.Int("depth"), Heads = fixture.Int("num_heads"),
            },
            Head = new()
            {
                OutDim = fixture.Int("out_dim"), HiddenDim = fixture.Int("hidden_dim"), BottleneckDim = fixture.Int("bottleneck_dim"),
                NormalizeLastLayer = fixture.Config.GetProperty("norm_last_layer").GetBoolean(),
            },
            DropPath = 0, TeacherMomentum = fixture.Double("momentum"), FreezeLastLayerEpochs = fixture.Int("freeze_last_layer"),
            WarmupTeacherTemperature = fixture.Double("warmup_teacher_temp"), TeacherTemperature = fixture.Double("teacher_temp"),
            WarmupTeacherTemperatureEpochs = fixture.Int("warmup_teacher_temp_epochs"),
        };
        var student = Branch(options, normalizeLast: options.Head.NormalizeLastLayer);
        fixture.LoadInto(student.Backbone, "init", "backbone.");
        fixture.LoadInto(student.Head, "init", "head.");
        return new DinoMethod(options, student, Branch(options, normalizeLast: true), steps, CPU);
    }

    private static DinoBranch Branch(DinoOptions options, bool normalizeLast)
    {
        var head = new DinoHeadOptions
        {
            OutDim = options.Head.OutDim, HiddenDim = options.Head.HiddenDim, BottleneckDim = options.Head.BottleneckDim, NormalizeLastLayer = normalizeLast,
        };
        return new(new VisionTransformer(options.Encoder), new DinoHead(options.Encoder.EmbedDim, head));
    }

    private static ViewBatch Batch(ReferenceCase fixture, int step)
    {
        int globals = 2, locals = fixture.Int("n_local");
        var crops = Enumerable.Range(0, globals + locals).Select(i => fixture.Read("crops", $"input.step{step}.crop{i}")).ToList();
        return new(new(globals, cat(crops.Take(globals).ToList(), 0), null), new(locals, cat(crops.Skip(globals).ToList(), 0), null));
    }
}
