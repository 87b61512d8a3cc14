using System.Globalization;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>One fine-tuning: chooses rows and device, builds the model, trains, and keeps the best epoch.</summary>
internal sealed class FineTuneRun : IDisposable
{
    private const string Phase = "Fine-tuning";

    private readonly IHost host;
    private readonly MLContext context;
    private readonly FineTuneOptions options;
    private readonly LabelColumn label;
    private readonly Device device;
    private readonly string deviceReason;
    private readonly IRanks ranks;
    private readonly RunFolder? folder;         // rank 0 alone writes
    private readonly int seed;

    /// <param name="environment">Where the run is logged.</param>
    /// <param name="context">Makes ML.NET's own transformers.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="label">The classes.</param>
    /// <param name="random">Draws the seed where nothing gives it; null for the environment's.</param>
    public FineTuneRun(IHostEnvironment environment, MLContext context, FineTuneOptions options, LabelColumn label, Random? random = null)
    {
        (host, this.context, this.options, this.label) = (environment.Register(Phase), context, options, label);
        bool isSpread = options.Distributed != DistributedTraining.None;
        (device, deviceReason) = options.Device.Resolve(isSpread ? MpiLauncher.LocalRank : 0);
        (ranks, (folder, seed)) = Ranks.Open(options.Distributed, options.DistributedTimeoutSeconds, device,
            joined => RunFolder.Open(options.Output, joined, options.Seed, random ?? host.Rand));
    }

    /// <summary>The seed: the options', that of the run to be resumed, or one that was drawn.</summary>
    public int Seed => seed;

    /// <summary>Trains a copy of the encoder and a head on the labelled rows.</summary>
    public (VisionEncoder Encoder, LinearClassifier Linear, ClassifierReport Report) Train(IDataView data, VisionEncoder start) =>
        ranks.Guard(() => TrainTogether(data, start));

    /// <summary>Gives the output folder back, and leaves the other ranks.</summary>
    public void Dispose()
    {
        folder?.Dispose();
        ranks.Dispose();
    }

    private (VisionEncoder Encoder, LinearClassifier Linear, ClassifierReport Report) TrainTogether(IDataView data, VisionEncoder start)
    {
        using var log = new RunLog(host, options.Logger, ranks.Rank);
        using var precision = new MatrixPrecision(options.Precision, device);
        int[] classesOfRows = ClassLabels.Read(data, label);
        var (labelled, rows) = Labelled(data, classesOfRows, log);
        var model = NewModel(start, options.DropPath);
        FineTuneModel? average = null;
        try
        {
            average = options.EmaMomentum is null ? null : NewModel(start, dropPath: 0);
            var kept = average ?? model;
            var encoder = new VisionEncoder(kept.Backbone, normalization: start.Normalization);
            var report = Train(labelled, rows, classesOfRows, model, average, encoder, start, log);
            encoder.Evaluate();
            encoder.ComputeType = null;
            var linear = kept.Classifier();
            kept.Head.Dispose();
            if (average is not null) model.Dispose();
            return (encoder, linear, report);
        }
        catch
        {
            model.Dispose();
            average?.Dispose();
            throw;
        }
    }

    private ClassifierReport Train(
        IDataView labelled, long[] rows, int[] classesOfRows, FineTuneModel model, FineTuneModel? average, VisionEncoder encoder,
        VisionEncoder start, RunLog log)
    {
        var views = options.Crop.AsViews();
        var sizes = ViewSizes.For(views, model.Backbone.Options);
        var loading = options.Loading();
        using var store = ImageStore.Load(labelled, loading, sizes.KeptSide, log.Warn, rows);
        store.WarnOfTurned(log.Warn);
        int[] classes = [.. Enumerable.Range(0, store.Count).Select(i => classesOfRows[store[i].Row])];
        ClassLabels.Check(classes, label);
        var (kept, heldOut) = StratifiedSplit.HoldOut(classes, options.ValidationFraction, seed);
        var limits = new RunLimits(options.Epochs);
        int batch = limits.Batch(options.BatchSize, kept.Length, ranks: ranks.Size, inPairs: options.MixesPairs).Batch;
        var share = ranks.Size == 1 ? null : RankShare.Of(ranks, batch);
        var loader = new ViewLoader(store, loading, sizes, encoder, batch, parts: 1, seed, log.Warn, kept, share?.Rows);
        var plain = new PlainViews(store, encoder);
        var plan = Plan(Phase, options, batch, loader.StepsPerEpoch, limits, out long warmup);

        using var weights = ClassLabels.Weights(options.ClassWeighting, [.. kept.Select(i => classes[i])], label.Count, device);
        var fitted = options.Copy();
        if (average is not null) fitted.EmaMomentum = limits.Momentum(nameof(options.EmaMomentum), options.EmaMomentum ?? 0, plan.Steps);
        var method = new FineTuneMethod(fitted, model, average, encoder, classes, label.Count, weights, seed);
        if (share is not null) method.JoinRanks(share);
        // What a run is takes a look at all images: only where somebody asks.
        var description = share is null && options.Output.Folder is null ? null
            : plan.Describe(seed, options, StartingPoint(start, classes, label), store, limits.Adjustments, deviceReason);
        if (share is not null) RankAgreement.Check(ranks, description!);
        using var recorder = folder is null ? null : new RunRecorder(folder, options.Output, encoder, plan) { Busy = ranks.WhileBusy };
        using var reducer = share is null ? null : new GradientReducer(ranks, share.Borders);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, ranks.Stopping);
        foreach (string adjustment in limits.Adjustments) log.Info(adjustment);
        log.Info(ClassifierReport.Recipe(Phase, kept.Length, label.Count, heldOut.Length, plan, warmup, [options.LearningRate], [options.WeightDecay], deviceReason));
        var training = new BestEpochTraining<ViewBatch>
        {
            Plan = plan, Method = method, Optimizer = () => Optimizer(model, options), Evaluated = average ?? model, Log = log,
            Patience = options.Patience, Progress = options.Progress,
            Evaluate = heldOut.Length == 0 ? null : () => method.Evaluate(plain.Batches(heldOut.Where((_, i) => i % ranks.Size == ranks.Rank))),
            Ranks = ranks, Reducer = reducer, Recorder = recorder, Description = description,
        };
        var result = training.Run(
            next => loader.Epoch(next.Epoch, cancellation.Token, (int)(next.Step % plan.StepsPerEpoch)), cancellation.Token);
        return new()
        {
            Classes = label.Count, ValidationRows = heldOut.Length, WarmupSteps = warmup, Epochs = result.Epochs, BestEpoch = result.BestEpoch,
            BaseLearningRate = options.LearningRate, WeightDecay = options.WeightDecay,
            Run = new()
            {
                Phase = Phase, Losses = result.Losses, StepsPerEpoch = plan.StepsPerEpoch, BatchSize = batch, AccumulationSteps = 1,
                Images = kept.Length, SkippedRows = store.Skipped, LearningRate = plan.LearningRate.Peak, Adjustments = limits.Adjustments,
                Device = deviceReason, Elapsed = result.Elapsed, ResumedSteps = result.ResumedSteps, Checkpoint = recorder?.LastCheckpoint,
                Warnings = log.Warnings,
            },
        };
    }

    /// <summary>What a run depends on beside its options: the encoder that it begins with, the classes of the images, and how it draws.</summary>
    internal static Dictionary<string, string> StartingPoint(VisionEncoder start, int[] classes, LabelColumn label) => new([RandomStreams.Version])
    {
        ["Encoder"] = Fingerprint.Of(start), ["Classes"] = Fingerprint.Of(classes), ["Number of classes"] = $"{label.Count}",
    };

    /// <summary>AdamW with a learning rate per layer.</summary>
    internal static DecoupledAdam Optimizer(FineTuneModel model, FineTuneOptions options)
    {
        int depth = model.Backbone.Options.Depth;
        var trained = model.Parameters.Where(p => p.Parameter.requires_grad);
        return new(trained.Select(p => new AdamParameter(p.Name, p.Parameter, LayerDecay.Scale(p.Name, depth, options.LayerDecay),
            LayerDecay.TakesWeightDecay(p.Name, p.Parameter.dim()))), (options.Beta1, options.Beta2));
    }

    /// <summary>Length and schedules of a run, of this stage or of one after it.</summary>
    internal static TrainingPlan Plan(
        string phase, FineTuneOptions recipe, int batch, int stepsPerEpoch, RunLimits limits, out long warmup)
    {
        long steps = (long)recipe.Epochs * stepsPerEpoch;
        warmup = limits.WarmupSteps(recipe.WarmupEpochs, stepsPerEpoch);
        return new()
        {
            Phase = phase, Epochs = recipe.Epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = batch,
            LearningRate = new(recipe.LearningRate * batch / 256, recipe.MinLearningRate, steps, warmup, warmupReachesPeak: false),
            WeightDecay = new(recipe.WeightDecay, recipe.WeightDecay, steps), ClipGradientOption = recipe.ClipGradient,
        };
    }

    // The rows that are learned from: those with a class, and of them those of the few-shot subset.
    private (IDataView Data, long[] Rows) Labelled(IDataView data, int[] classes, RunLog log)
    {
        ClassLabels.Check([.. classes.Where(c => c >= 0)], label);
        long[] rows = LabelledRows.Choose(classes, options, seed);
        ClassLabels.Check([.. rows.Select(r => classes[r])], label);
        int known = classes.Count(c => c >= 0);
        bool isAll = rows.Length == known;
        if (!isAll && options.LabelSubsetPath is null)
        {
            log.Warn(string.Create(CultureInfo.InvariantCulture, $"{rows.Length} of {known} labelled images are learned from: "
                + $"LabelFraction is {options.LabelFraction}; with 1 all of them are."));
        }
        return (isAll ? context.Data.FilterRowsByMissingValues(data, label.Name) : new RowSubsetView(data, rows), rows);
    }

    /// <summary>A copy of an encoder as the options want it, with a head that knows nothing.</summary>
    internal FineTuneModel NewModel(VisionEncoder start, double dropPath)
    {
        var architecture = start.Model.Options;
        (architecture.MaskBias, architecture.DropPath, architecture.Positions) = (null, dropPath, PositionKind.Learned);
        architecture.ImageSize = options.ImageSize ?? architecture.ImageSize;
        var before = architecture.Pooling;
        architecture.Pooling = options.Pooling ?? before;
        var backbone = new VisionTransformer(architecture, seed) { RecomputesBlocks = options.RecomputeBlocks };
        using (no_grad())
        {
            backbone.CopyResized(start.Model);
            if (architecture.Pooling == FeaturePooling.NormalizedMean && before != FeaturePooling.NormalizedMean)
            {
                var state = backbone.state_dict();                  // it normalises something else now: it starts anew, as MAE's does
                state["norm.weight"].fill_(Number(1));
                state["norm.bias"].zero_();
            }
        }
        if (options.TrainableBlocks is { } trainable) backbone.FreezeBelow(trainable);
        backbone.ComputeType = MatrixPrecision.ComputeType(options.Precision);
        return new(backbone, label.Count, device, seed);
    }
}
