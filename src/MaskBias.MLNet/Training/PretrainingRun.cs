using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using System.Globalization;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// What Fit of every pretraining estimator does around its method: choose the device, read the images, fit the schedules to the run, train,
/// and report.
/// </summary>
internal sealed class PretrainingRun : IDisposable
{
    private readonly PretrainingOptions options;
    private readonly string phase;
    private readonly IHost host;
    private readonly string deviceReason;
    private readonly IRanks ranks;
    private readonly MatrixPrecision precision;
    private readonly RunFolder? folder;         // rank 0 alone writes

    public PretrainingRun(IHostEnvironment environment, PretrainingOptions options, string phase)
    {
        (this.options, this.phase) = (options, phase);
        host = environment.Register(phase);
        bool isSpread = options.Distributed != DistributedTraining.None;
        (Device, deviceReason) = options.Device.Resolve(isSpread ? MpiLauncher.LocalRank : 0);
        (ranks, (folder, Seed)) = Ranks.Open(options.Distributed, options.DistributedTimeoutSeconds, Device, joined =>
        {
            var opened = joined.IsRoot ? RunFolder.Open(options.Output) : null;
            return (opened, joined.FromRoot(options.Seed ?? opened?.Earlier?.Seed ?? host.Rand.Next()));
        });
        precision = new(options.Precision, Device);
        Limits = new RunLimits(options.Epochs);
    }

    public Device Device { get; }

    public int Seed { get; }

    /// <summary>What layers are to compute in; null for the type of the weights.</summary>
    public ScalarType? ComputeType => MatrixPrecision.ComputeType(options.Precision);

    public RunLimits Limits { get; }

    /// <summary>Trains a method on the views of the images.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="views">The augmentation.</param>
    /// <param name="encoder">The architecture that the views are for.</param>
    /// <param name="normalizer">The encoder that comes of it, on the training device; it normalises the pixels.</param>
    /// <param name="createMethod">Makes the method once the number of steps is known.</param>
    /// <param name="teacher">An encoder that the run learns from and does not change.</param>
    public TrainingReport Train<TMethod>(
        IDataView data, MultiCropOptions views, VitOptions encoder, VisionEncoder normalizer, Func<long, TMethod> createMethod,
        VisionEncoder? teacher = null)
        where TMethod : ITrainingMethod<ViewBatch>, IDisposable =>
        ranks.Guard(() => TrainTogether(data, views, encoder, normalizer, createMethod, teacher));

    /// <summary>Gives the output folder back, and leaves the other ranks.</summary>
    public void Dispose()
    {
        precision.Dispose();
        folder?.Dispose();
        ranks.Dispose();
    }

    private TrainingReport TrainTogether<TMethod>(
        IDataView data, MultiCropOptions views, VitOptions encoder, VisionEncoder normalizer, Func<long, TMethod> createMethod,
        VisionEncoder? teacher)
        where TMethod : ITrainingMethod<ViewBatch>, IDisposable
    {
        using var log = new RunLog(host, options.Logger, ranks.Rank);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, ranks.Stopping);
        var sizes = ViewSizes.For(views, encoder);
        if (teacher is not null) sizes = sizes with { Patch = teacher.Model.Options.PatchSize };       // it alone sees the masks
        int[]? classes = options.NearestNeighborMonitor is { } measured ? ClassNumbers.Read(data, measured.LabelColumnName) : null;
        using var store = ImageStore.Load(data, options, sizes.KeptSide, log.Warn);
        var monitor = classes is null ? null : new NearestNeighborMonitor(classes, store, normalizer, options, Seed, ranks);
        var (batch, parts) = Limits.Batch(options.BatchSize, store.Count, options.AccumulationSteps, ranks.Size);
        var share = ranks.Size == 1 ? null : RankShare.Of(ranks, batch / parts);
        var loader = new ViewLoader(store, options, sizes, normalizer, batch, parts, Seed, log.Warn, own: share?.Rows);
        var plan = Plan(batch, parts, loader.StepsPerEpoch);
        using var method = createMethod(plan.Steps);
        if (share is not null) method.JoinRanks(share);
        using var reducer = share is null ? null : new GradientReducer(ranks, share.Borders);
        foreach (string adjustment in Limits.Adjustments) log.Info(adjustment);
        string inParts = parts > 1 ? $" in {parts} parts" : "";
        log.Info($"{phase}: {store.Count} images, batch {batch}{inParts}, {plan.Steps} steps, "
            + $"learning rate {plan.LearningRate.Peak:g3}, {options.Precision}, {deviceReason}.");
        if (share is not null) log.Info($"{phase}: {ranks.Size} processes, each with {share.Rows.Positions.Length * parts} images of every batch.");

        if (store.SpilledBytes > 0) log.Info($"{store.SpilledBytes >> 20} MB of decoded images are in a temporary file.");

        using var recorder = folder is null ? null : new RunRecorder(folder, options.Output, normalizer, plan.StepsPerEpoch) { Busy = ranks.WhileBusy };
        // What a run is takes a look at all images: only where somebody asks.
        var description = share is null && options.Output.Folder is null ? null : Describe(plan, store, teacher);
        if (share is not null) RankAgreement.Check(ranks, description!);
        var from = recorder?.Begin(description!, log);
        TrainingLoop<ViewBatch> loop = null!;
        using var running = loop = new(plan, method)
        {
            Progress = new EpochLog(ranks.IsRoot ? options.Progress : null, log, recorder, monitor), Reducer = reducer,
            StepDone = () => recorder?.AfterStep(loop.Next, () => loop.State),
            Diverged = (batch, fault) => recorder?.Replay(batch, loop.Next, loop.State, fault, log.Warn) ?? fault,
            Warn = log.Warn,
        };
        RankAgreement.Start(ranks, loop, from);
        long resumed = loop.Next.Step;
        try
        {
            using var watch = ranks.Watch(log.Warn);
            loop.Run(next => loader.Epoch(next.Epoch, cancellation.Token, (int)(next.Step % plan.StepsPerEpoch)), cancellation.Token);
        }
        catch (Exception e) when (e is not (TrainingDivergedException or CheckpointException) && !loop.IsTorn)
        {
            // The launcher gives little time once a rank has ended: the cause is told before anything else.
            var lost = e as RankFailedException ?? (e is OperationCanceledException ? ranks.WhyStopping() : null);
            if (lost is not null) log.Warn($"{lost.Message} The run ends at step {loop.Next.Step}.");
            KeepWhatThereIs(recorder, loop, log);
            if (lost is not null && lost != e) throw lost;
            throw;
        }
        recorder?.Save(loop.Next, loop.State);
        normalizer.Evaluate();
        normalizer.ComputeType = null;
        return new()
        {
            Phase = phase, Losses = loop.Losses, StepsPerEpoch = plan.StepsPerEpoch, BatchSize = batch, AccumulationSteps = parts,
            Images = store.Count, SkippedRows = store.Skipped, LearningRate = plan.LearningRate.Peak, Adjustments = Limits.Adjustments,
            Device = deviceReason, Elapsed = loop.Elapsed, ResumedSteps = resumed, Checkpoint = recorder?.LastCheckpoint,
            Warnings = log.Warnings, NearestNeighborAccuracies = monitor?.Accuracies ?? new Dictionary<int, double>(),
        };
    }

    // A run that is cancelled, or that the data failed, can go on from its last whole step. What stopped it is what the caller must see.
    private static void KeepWhatThereIs(RunRecorder? recorder, TrainingLoop<ViewBatch> loop, RunLog log)
    {
        try
        {
            recorder?.Save(loop.Next, loop.State);
        }
        catch (Exception e)
        {
            log.Warn($"No checkpoint of step {loop.Next.Step} is left: {e.Message}");
        }
    }

    private RunDescription Describe(TrainingPlan plan, ImageStore store, VisionEncoder? teacher)
    {
        var described = new Dictionary<string, string>(OptionsDescription.Of(options))
        {
            [nameof(options.WarmupReachesPeak)] = $"{options.WarmupReachesPeak}",
        };
        if (teacher is not null) described["Teacher"] = Fingerprint.Of(teacher);
        return new()
        {
            Phase = phase, Seed = Seed, Data = store.Fingerprint(), Adjustments = [.. Limits.Adjustments],
            Options = described,
            Resolved = new Dictionary<string, string>
            {
                ["images"] = $"{store.Count}", ["skippedRows"] = $"{store.Skipped}", [RunDescription.BatchSize] = $"{plan.BatchSize}",
                ["accumulationSteps"] = $"{plan.AccumulationSteps}", ["epochs"] = $"{plan.Epochs}",
                ["stepsPerEpoch"] = $"{plan.StepsPerEpoch}", ["steps"] = $"{plan.Steps}",
                ["learningRate"] = plan.LearningRate.Peak.ToString("g6", CultureInfo.InvariantCulture), ["device"] = deviceReason,
                ["torchSharp"] = typeof(Device).Assembly.GetName().Version?.ToString(3) ?? "",
            },
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
