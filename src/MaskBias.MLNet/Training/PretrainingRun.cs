using System.Globalization;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
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
        (ranks, (folder, Seed)) = Ranks.Open(options.Distributed, options.DistributedTimeoutSeconds, Device,
            joined => RunFolder.Open(options.Output, joined, options.Seed, host.Rand));
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
        // It alone sees masks, and global views alone.
        if (teacher is not null) sizes = sizes with { Patch = teacher.Model.Options.PatchSize, MasksLocalViews = false };
        int[]? classes = options.NearestNeighborMonitor is { } measured ? ClassNumbers.Read(data, measured.LabelColumnName) : null;
        using var store = ImageStore.Load(data, options, sizes.KeptSide, log.Warn);
        WarnOfMissingMasks(store, teacher, log.Warn);
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
        log.Info(string.Create(CultureInfo.InvariantCulture, $"{phase}: {store.Count} images, batch {batch}{inParts}, {plan.Steps} steps, "
            + $"learning rate {plan.LearningRate.Peak:g3}, {options.Precision}, {deviceReason}."));
        if (share is not null) log.Info($"{phase}: {ranks.Size} processes, each with {share.Rows.Positions.Length * parts} images of every batch.");

        if (store.SpilledBytes > 0) log.Info($"{store.SpilledBytes >> 20} MB of decoded images are in a temporary file.");

        using var recorder = folder is null ? null : new RunRecorder(folder, options.Output, normalizer, plan) { Busy = ranks.WhileBusy };
        // What a run is takes a look at all images: only where somebody asks.
        var description = share is null && options.Output.Folder is null ? null : Describe(plan, store, teacher);
        // All ranks embed a share of what is measured.
        if (share is not null) RankAgreement.Check(ranks, description!.With(nameof(options.NearestNeighborMonitor), options.NearestNeighborMonitor));
        var from = recorder?.Begin(description!, log);
        TrainingLoop<ViewBatch> loop = null!;
        using var running = loop = new(plan, method)
        {
            Progress = new EpochLog(RecordedProgress.Of(recorder, ranks.IsRoot ? options.Progress : null), log, monitor), Reducer = reducer,
            StepDone = () => recorder?.AfterStep(loop.Next, () => loop.State),
            Diverged = (batch, fault) => recorder?.Replay(batch, loop.Next, loop.State, fault, log.Warn) ?? fault,
            Warn = log.Warn,
        };
        RankAgreement.Start(ranks, loop, from);
        long resumed = loop.Next.Step;
        CheckpointedLoop.Run(loop, next => loader.Epoch(next.Epoch, cancellation.Token, (int)(next.Step % plan.StepsPerEpoch)), recorder, ranks, log,
            cancellation.Token);
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

    private void WarnOfMissingMasks(ImageStore store, VisionEncoder? teacher, Action<string> warn)
    {
        if (options.MaskColumnName is { } column)
        {
            if (Enumerable.Range(0, store.Count).All(i => store[i].Masks is not { Count: > 0 }))
                warn($"No row has masks in column '{column}' (MaskColumnName): nothing guides the attention.");
        }
        else if (teacher is { Model.IsMaskGuided: true })
        {
            warn("The teacher is guided by masks, but MaskColumnName is null: it teaches without any. Set MaskColumnName to the column of masks.");
        }
    }

    private RunDescription Describe(TrainingPlan plan, ImageStore store, VisionEncoder? teacher)
    {
        var startingPoint = new Dictionary<string, string> { [nameof(options.WarmupReachesPeak)] = $"{options.WarmupReachesPeak}" };
        if (teacher is not null) startingPoint["Teacher"] = Fingerprint.Of(teacher);
        return plan.Describe(Seed, options, startingPoint, store, Limits.Adjustments, deviceReason);
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
            ClipGradient = options.ClipGradient, ClipGradientOption = options.ClipGradient,
        };
    }
}
