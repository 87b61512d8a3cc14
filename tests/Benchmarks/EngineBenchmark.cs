using System.Globalization;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// What the training loop costs beside the tensor work: its step, with progress, metrics file and guards, against a bare loop of the same
/// operations, checkpoints left out.
/// </summary>
internal static class EngineBenchmark
{
    private const int Batch = 8, Rounds = 15;
    private const double LargestRatio = 1.03;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.CreateTempSubdirectory("maskbias-engine-").FullName;
        try
        {
            foreach (var (name, options) in new[] { ("ViT-Ti/16 at 96", VitOptions.Tiny(imageSize: 96)), ("ViT-S/16 at 96", VitOptions.Small(imageSize: 96)) })
            {
                double[] seconds = Measure(options, folder);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {name}, batch {Batch}: bare {seconds[0] * 1000:0.0} ms, engine {seconds[1] * 1000:0.0} ms a step: {seconds[1] / seconds[0]:0.000} of it (at most {LargestRatio} wanted)"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double[] Measure(VitOptions architecture, string folder)
    {
        var options = new DinoOptions { Head = new() { OutDim = 4096 }, FreezeLastLayerEpochs = 0 };
        using var batch = new ViewBatch(new(2, randn(2 * Batch, 3, architecture.ImageSize, architecture.ImageSize), null), null);
        using var bareMethod = Method(options, architecture);
        using var method = Method(options, architecture);
        const long Steps = 1_000_000;
        var plan = new TrainingPlan
        {
            Phase = "DINO", Epochs = 1, StepsPerEpoch = (int)Steps, BatchSize = Batch, ClipGradient = 3,
            LearningRate = new(1e-4, 1e-6, Steps), WeightDecay = new(0.04, 0.4, Steps),
        };
        using var bareOptimizer = new DecoupledAdam(bareMethod.Parameters, plan.Betas);
        using var metrics = new MetricsFile(folder, 0);
        using var loop = new TrainingLoop<ViewBatch>(plan, method) { Progress = metrics };
        long bareSteps = 0;
        using var stop = new CancellationTokenSource();
        var turn = new SemaphoreSlim(0);
        var done = new SemaphoreSlim(0);
        // The loop runs on its own thread and waits for its turn before each step.
        var running = new Thread(() =>
        {
            try
            {
                loop.Run(_ => Turns(), stop.Token);
            }
            catch (OperationCanceledException)
            {
            }
        });
        running.Start();
        try
        {
            return Timing.Medians(Rounds, Bare, Engine);
        }
        finally
        {
            stop.Cancel();
            turn.Release();
            running.Join();
        }

        void Engine()
        {
            turn.Release();
            done.Wait();
        }

        IEnumerable<ViewBatch> Turns()
        {
            turn.Wait();
            while (true)
            {
                yield return new ViewBatch(batch.Global with { Images = batch.Global.Images.alias() }, null);
                done.Release();
                turn.Wait();
            }
        }

        // The same tensor work and no more.
        void Bare()
        {
            using var scope = NewDisposeScope();
            var position = new TrainingPosition(0, bareSteps++);
            bareOptimizer.Set(plan.LearningRate.At(position.Step), plan.WeightDecay.At(position.Step));
            var loss = bareMethod.Loss(batch, position);
            _ = loss.ToDouble();
            loss.backward();
            using (no_grad())
            {
                foreach (var (_, parameter) in bareMethod.Parameters)
                {
                    if (parameter.grad is not { } gradient) continue;
                    var factor = (plan.ClipGradient / (gradient.norm() + 1e-6)).clamp_max_(1);
                    gradient.mul_(factor);
                }
            }
            bareOptimizer.Step();
            foreach (var (_, parameter) in bareMethod.Parameters) parameter.grad = null;
            bareMethod.AfterUpdate(position);
        }
    }

    private static DinoMethod Method(DinoOptions options, VitOptions architecture) =>
        new(options, Branch(options, architecture), Branch(options, architecture), 1_000_000, CPU);

    private static DinoBranch Branch(DinoOptions options, VitOptions architecture) =>
        new(new VisionTransformer(architecture, 1), new DinoHead(architecture.EmbedDim, options.Head, 1));
}
