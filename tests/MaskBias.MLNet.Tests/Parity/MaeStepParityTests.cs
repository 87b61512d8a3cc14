using System.Text.Json;
using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Two epochs of training against the published MAE code, also with accumulation: losses, gradients, parameters.</summary>
[Trait("Category", "Parity")]
public class MaeStepParityTests
{
    [Theory]
    [InlineData("mae_step")]
    [InlineData("mae_step_accum_normpix")]
    public void Two_epochs_match(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new ReferenceCase(name);
        using var model = MaeReference.Model(fixture, "init", fixture.Config.GetProperty("norm_pix").GetBoolean());
        int parts = fixture.Int("accum_iter"), iterations = fixture.Int("niter"), perEpoch = iterations / parts;
        int epochs = fixture.Int("epochs"), steps = epochs * perEpoch;
        double peak = fixture.Double("lr");
        var plan = new TrainingPlan
        {
            Phase = "MAE", Epochs = 2, StepsPerEpoch = perEpoch, BatchSize = fixture.Int("batch") * parts, AccumulationSteps = parts,
            Betas = (0.9, 0.95), WeightDecay = new(fixture.Double("wd"), fixture.Double("wd"), steps),
            LearningRate = new(peak, fixture.Double("min_lr"), steps, fixture.Int("warmup_epochs") * perEpoch, warmupReachesPeak: false),
        };
        double[] schedule = fixture.Doubles("expected", "lr_schedule_full"), rates = fixture.Doubles("expected", "lrs");
        for (int i = 0; i < schedule.Length; i += parts)
            Near.Equal(schedule[i], plan.LearningRate.At(i / parts), 1e-12, $"learning rate {i}");
        for (int i = 0; i < rates.Length; i++)
            Near.Equal(rates[i], plan.LearningRate.At(i / parts), 1e-12, $"learning rate in force at {i}");

        var method = new Recorder(fixture, model);
        CheckGroups(name, method);
        using var loop = new TrainingLoop<Iteration>(plan, method);
        double[] losses = fixture.Doubles("expected", "losses"), norms = fixture.Doubles("expected", "grad_norms_total");
        loop.Run(next =>
        {
            if (next.Epoch == 1) CheckParameters(1);
            return Enumerable.Range(next.Epoch * iterations, iterations).Select(i => new Iteration(i));
        });
        CheckParameters(2);
        Assert.Equal(losses.Length, method.Losses.Count);
        for (int i = 0; i < losses.Length; i++) Near.Equal(losses[i], method.Losses[i], 1e-5, $"loss {i}");
        Assert.Equal(norms.Length, method.GradientNorms.Count);
        for (int i = 0; i < norms.Length; i++) Near.Equal(norms[i], method.GradientNorms[i], 2e-5 * Math.Max(1, norms[i]), $"gradient {i}");
        Assert.Equal(Enumerable.Range(0, norms.Length).Select(i => method.Losses.Skip(i * parts).Take(parts).Average()),
            loop.Losses, (a, b) => Math.Abs(a - b) < 1e-12);

        void CheckParameters(int epochsDone)
        {
            int seen = 0, done = epochsDone * iterations, width;
            double sumOfRates = Enumerable.Range(0, epochsDone * perEpoch).Sum(i => plan.LearningRate.At(i));
            foreach (var (parameterName, parameter) in method.Parameters)
            {
                string key = $"after{done}.{parameterName}";
                if (!fixture.File_("expected").Contains(key)) continue;
                seen++;
                var (expected, actual) = (fixture.Read("expected", key), (Tensor)parameter);
                if (parameterName.EndsWith("attn.qkv.bias", StringComparison.Ordinal))
                {
                    // The keys' bias has a true gradient of 0: Adam makes rounding noise into steps of up to the learning rate.
                    width = (int)expected.shape[0] / 3;
                    Near.Equal(expected[width..(2 * width)], actual[width..(2 * width)], sumOfRates, key + ", keys");
                    (expected, actual) = (cat([expected[..width], expected[(2 * width)..]]), cat([actual[..width], actual[(2 * width)..]]));
                }
                Near.Equal(expected, actual, 1e-4, key);
            }
            Assert.Equal(fixture.File_("expected").Entries.Count(e => e.Name.StartsWith($"after{done}.", StringComparison.Ordinal)), seen);
            Assert.True(seen > 0);
        }
    }

    private static void CheckGroups(string name, Recorder method)
    {
        using var groups = JsonDocument.Parse(File.ReadAllText(Fixtures.Path($"{name}/groups.json")));
        foreach (var group in groups.RootElement.EnumerateArray())
        {
            bool decays = group.GetProperty("weight_decay").GetDouble() > 0;
            var actual = method.Parameters.Where(p => p.Parameter.requires_grad && DecoupledAdam.Decays(p.Name, p.Parameter) == decays);
            var expected = group.GetProperty("params").EnumerateArray().Select(e => e.GetString()!);
            Assert.Equal(expected.Order(), actual.Select(p => p.Name).Order());
        }
    }

    private sealed record Iteration(int Index) : IDisposable
    {
        public void Dispose()
        {
        }
    }

    // Feeds the recorded images and noise, and notes every loss and the norm of every gradient.
    private sealed class Recorder(ReferenceCase fixture, MaeReference model) : ITrainingMethod<Iteration>
    {
        public List<double> Losses { get; } = [];

        public List<double> GradientNorms { get; } = [];

        public IEnumerable<(string Name, Parameter Parameter)> Parameters => model.Method.Parameters;

        public void BeginEpoch(int epoch) => model.Method.BeginEpoch(epoch);

        public Tensor Loss(Iteration batch, TrainingPosition position)
        {
            var masking = model.Masking(fixture.Read("inputs", $"noise.step{batch.Index}"));
            var loss = model.Method.Loss(fixture.Read("inputs", $"input.step{batch.Index}"), null, masking);
            Losses.Add(loss.ToDouble());
            return loss;
        }

        public void BeforeUpdate(TrainingPosition position)
        {
            var gradients = Parameters.Select(p => p.Parameter.grad).OfType<Tensor>();
            GradientNorms.Add(Math.Sqrt(gradients.Sum(g => g.square().sum().ToDouble())));
        }

        public void AfterUpdate(TrainingPosition position) => model.Method.AfterUpdate(position);
    }
}
