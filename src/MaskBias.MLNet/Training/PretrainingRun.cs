using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// What Fit of every pretraining estimator does around its method: choose the device, read the images, fit the schedules to the run, train,
/// and report.
/// </summary>
internal sealed class PretrainingRun
{
    // No view shows fewer than about a quarter of the image's side, so twice a view's side keeps every pixel that a view can use.
    private const int KeptPerViewPixel = 2;

    private readonly PretrainingOptions options;
    private readonly string phase;
    private readonly IHost host;
    private readonly string deviceReason;

    public PretrainingRun(IHostEnvironment environment, PretrainingOptions options, string phase)
    {
        (this.options, this.phase) = (options, phase);
        host = environment.Register(phase);
        (Device, deviceReason) = options.Device.Resolve();
        Seed = options.Seed ?? host.Rand.Next();
        Limits = new RunLimits(options.Epochs);
    }

    public Device Device { get; }

    public int Seed { get; }

    public RunLimits Limits { get; }

    /// <summary>Trains a method on the views of the images.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="views">The augmentation.</param>
    /// <param name="encoder">The architecture that the views are for.</param>
    /// <param name="normalizer">The encoder that comes of it, on the training device; it normalises the pixels.</param>
    /// <param name="createMethod">Makes the method once the number of steps is known.</param>
    public TrainingReport Train<TMethod>(
        IDataView data, MultiCropOptions views, VitOptions encoder, VisionEncoder normalizer, Func<long, TMethod> createMethod)
        where TMethod : ITrainingMethod<ViewBatch>, IDisposable
    {
        using var log = new RunLog(host);
        var sizes = ViewSizes.For(views, encoder);
        var store = ImageStore.Load(data, options, KeptPerViewPixel * sizes.Global, log.Warn);
        var (batch, parts) = Limits.Batch(options.BatchSize, store.Count, options.AccumulationSteps);
        var loader = new ViewLoader(store, options, sizes, normalizer, batch, parts, Seed, log.Warn);
        var plan = Plan(batch, parts, loader.StepsPerEpoch);
        using var method = createMethod(plan.Steps);
        foreach (string adjustment in Limits.Adjustments) log.Info(adjustment);
        string inParts = parts > 1 ? $" in {parts} parts" : "";
        log.Info($"{phase}: {store.Count} images, batch {batch}{inParts}, {plan.Steps} steps, "
            + $"learning rate {plan.LearningRate.Peak:g3}, {deviceReason}.");

        using var loop = new TrainingLoop<ViewBatch>(plan, method) { Progress = new EpochLog(options.Progress, log) };
        loop.Run(epoch => loader.Epoch(epoch, options.CancellationToken), options.CancellationToken);
        normalizer.Evaluate();
        return new()
        {
            Phase = phase, Losses = loop.Losses, StepsPerEpoch = plan.StepsPerEpoch, BatchSize = batch, AccumulationSteps = parts,
            Images = store.Count, SkippedRows = store.Skipped, LearningRate = plan.LearningRate.Peak, Adjustments = Limits.Adjustments,
            Device = deviceReason, Elapsed = loop.Elapsed,
        };
    }

    private TrainingPlan Plan(int batch, int parts, int stepsPerEpoch)
    {
        long steps = (long)options.Epochs * stepsPerEpoch;
        return new()
        {
            Phase = phase, Epochs = options.Epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = batch,
            AccumulationSteps = parts,
            LearningRate = new(options.LearningRate * batch / 256, options.MinLearningRate, steps,
                Limits.WarmupSteps(options.WarmupEpochs, stepsPerEpoch), warmupReachesPeak: options.WarmupReachesPeak),
            WeightDecay = new(options.WeightDecay, options.FinalWeightDecay, steps),
            Betas = (options.Beta1, options.Beta2),
            ClipGradient = options.ClipGradient,
        };
    }
}
