using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Training.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.FineTuning;

public sealed class BestEpochTrainingTests : IDisposable
{
    private const int Epochs = 3, StepsPerEpoch = 2;

    private static readonly double[] Accuracies = [0.1, 0.5, 0.3];

    private readonly TempFolder folder = new();

    [Fact]
    public void An_epoch_whose_measuring_failed_is_measured_before_anything_else()
    {
        int measured = 0;
        Assert.Throws<FormatException>(() => Run(ExistingRun.Refuse, [], () => ++measured == 2 ? throw new FormatException() : (1, Accuracies[0])));

        var events = new List<string>();
        int epoch = 1;
        var (result, head) = Run(ExistingRun.Resume, events, () =>
        {
            events.Add("measured");
            return (1, Accuracies[epoch++]);
        });
        Assert.Equal(["measured", "step 4", "step 5", "measured", "step 6"], events);
        Assert.Equal((4, 2), (result.ResumedSteps, result.BestEpoch));
        Assert.Equal(Accuracies, result.Epochs.Select(e => e.ValidationAccuracy!.Value));
        Assert.Equal(Enumerable.Range(1, 6).Select(s => (long)s), RunRecord.Read(folder.Path).ReadMetrics().Select(m => m.Step));

        // What is kept are the weights at the end of the second epoch.
        Directory.Delete(folder.Path, recursive: true);
        epoch = 0;
        var (whole, expected) = Run(ExistingRun.Refuse, [], () => (1, Accuracies[epoch++]));
        Assert.Equal(whole.Losses, result.Losses);
        Assert.Equal(expected, head);
    }

    private (BestEpochResult Result, float[] Head) Run(ExistingRun whenUsed, List<string> events, Func<(double, double)> evaluate)
    {
        var plan = new TrainingPlan
        {
            Phase = "Fine-tuning", Epochs = Epochs, StepsPerEpoch = StepsPerEpoch, BatchSize = 1, LearningRate = new(0.1, 0, 6), WeightDecay = new(0, 0, 6),
        };
        var output = new RunOutputOptions { Folder = folder.Path, WhenUsed = whenUsed };
        using var scope = NewDisposeScope();
        using var start = TinyEncoders.Plain();
        using var model = new FineTuneModel(new VisionTransformer(start.Model.Options, seed: 1), 3, CPU, seed: 1);
        var encoder = new VisionEncoder(model.Backbone);
        using var opened = RunFolder.Open(output)!;
        using var recorder = new RunRecorder(opened, output, encoder, plan);
        using var log = new RunLog(((IHostEnvironment)new MLContext(1)).Register("test"));
        var method = new TowardsZero(model);
        var result = new BestEpochTraining<Nothing>
        {
            Plan = plan, Method = method, Optimizer = () => new DecoupledAdam(method.Parameters, plan.Betas), Evaluated = model, Evaluate = evaluate,
            Patience = null, Progress = new Each(p => events.Add($"step {p.Step}")), Log = log, Recorder = recorder,
            Description = new()
            {
                Phase = "Fine-tuning", Seed = 1, Data = "", Options = new Dictionary<string, string>(), Resolved = new Dictionary<string, string>(),
                Adjustments = [],
            },
        }.Run(next => Enumerable.Range(0, StepsPerEpoch - ((int)next.Step % StepsPerEpoch)).Select(_ => new Nothing()), default);
        return (result, model.Head.weight!.data<float>().ToArray());
    }

    public void Dispose() => folder.Dispose();

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class TowardsZero(FineTuneModel model) : ITrainingMethod<Nothing>
    {
        public IEnumerable<(string Name, Parameter Parameter)> Parameters => model.Parameters;

        public void BeginEpoch(int epoch) => model.Train();

        public Tensor Loss(Nothing batch, TrainingPosition position) => model.Head.weight!.abs().sum();

        public void BeforeUpdate(TrainingPosition position)
        {
        }

        public void AfterUpdate(TrainingPosition position)
        {
        }
    }
}
