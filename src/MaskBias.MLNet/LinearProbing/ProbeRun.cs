using System.Globalization;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Trains linear layers on features: of the plain images, computed once, or of views that are cut anew in every epoch.</summary>
internal sealed class ProbeRun
{
    private const string Phase = "Linear probe";
    private const double TrustCoefficient = 0.001;      // of LARS
    private const int EnoughToChooseBy = 30;            // rows, or one of each class
    private const int EnoughToHoldOutOnce = 200;        // rows; of fewer each is held out in turn
    private const double LargestWarmup = 1.0 / 9;       // Table 4's own: 10 of 90 epochs

    private readonly IHost host;
    private readonly LinearProbeOptions options;
    private readonly LabelColumn label;
    private readonly IRanks ranks;
    private readonly int seed;
    private readonly LayerSetting[] settings;           // to choose from

    public ProbeRun(IHostEnvironment environment, LinearProbeOptions options, LabelColumn label, Device device)
    {
        (host, this.options, this.label, settings) = (environment.Register(Phase), options, label, LayerSetting.All(options));
        (ranks, seed) = Ranks.Open(
            options.Distributed, options.DistributedTimeoutSeconds, device, joined => joined.FromRoot(options.Seed ?? host.Rand.Next()));
    }

    /// <summary>Learns from a column of features.</summary>
    /// <param name="embed">Gives the rows with that column.</param>
    /// <param name="featureColumnName">The column.</param>
    /// <param name="device">Where to learn.</param>
    public (LinearClassifier Classifier, ClassifierReport Report) OnFeatures(Func<IDataView> embed, string featureColumnName, Device device)
    {
        using var _ = ranks;
        return ranks.Guard(() => LearnFromFeatures(embed(), featureColumnName, device));
    }

    /// <summary>Learns from views of images, cut as the options say.</summary>
    /// <param name="data">The rows; those without a class are left out.</param>
    /// <param name="encoder">Computes the features; it stays as it is.</param>
    public (LinearClassifier Classifier, ClassifierReport Report) OnViews(IDataView data, VisionEncoder encoder)
    {
        using var _ = ranks;
        return ranks.Guard(() => LearnFromViews(data, encoder));
    }

    private (LinearClassifier Classifier, ClassifierReport Report) LearnFromFeatures(IDataView data, string featureColumnName, Device device)
    {
        using var log = new RunLog(host, options.Logger, ranks.Rank);
        using var rows = FeatureSet.Read(data, featureColumnName, label, device, options.CancellationToken);
        if (rows.Skipped > 0) log.Warn($"{rows.Skipped} rows have features that are not finite numbers and are left out.");
        ClassLabels.Check(rows.Classes, label);
        bool isCrossValidated = settings.Length > 1 && rows.Classes.Length * options.ValidationFraction < EnoughToHoldOutOnce;
        return isCrossValidated ? CrossValidate(rows, log) : HoldOut(rows, log);
    }

    // The layers are judged by rows that are held out of training, and the best is trained again on all.
    private (LinearClassifier Classifier, ClassifierReport Report) HoldOut(FeatureSet rows, RunLog log)
    {
        var (kept, heldOut, tried) = Split(rows.Classes, log);
        using var validation = heldOut.Length == 0 ? null : rows.Rows(heldOut);
        var (classifier, report) = Train(Features(rows, kept, log) with { Validation = validation, ValidationRows = heldOut.Length }, tried);
        if (validation is null || tried.Length == 1) return (classifier, report);
        var best = new LayerSetting(report.BaseLearningRate, report.WeightDecay);
        LogChoice(log, best, $"{heldOut.Length} rows");
        var (again, run) = Train(Features(rows, [.. kept, .. heldOut], log) with { Progress = null }, [best]);      // soon done
        return (again, report with { Run = run.Run });
    }

    // Of few rows each is held out in turn, but for the only one of a class.
    private (LinearClassifier Classifier, ClassifierReport Report) CrossValidate(FeatureSet rows, RunLog log)
    {
        var counts = rows.Classes.CountBy(c => c).ToDictionary();
        int folds = Math.Max(2, (int)Math.Round(1 / options.ValidationFraction));
        int[][] parts = [.. StratifiedSplit.Folds([.. rows.Classes.Select(c => counts[c] > 1 ? c : -1)], folds, seed).Where(part => part.Length > 0)];
        int[] all = [.. Enumerable.Range(0, rows.Classes.Length)];
        int judged = parts.Sum(part => part.Length);
        if (judged < EnoughToChooseBy) return Train(Features(rows, all, log), [OfFewRows(all.Length, counts.Count, judged, log)]);
        var measures = new LayerMeasures(options.Epochs, settings.Length);
        for (int i = 0; i < parts.Length; i++)
        {
            log.Info($"{Phase}: part {i + 1} of {parts.Length} is held out of {settings.Length} layers.");
            using var validation = rows.Rows(parts[i]);
            var others = Features(rows, [.. all.Except(parts[i])], log);
            Train(others with { Validation = validation, ValidationRows = parts[i].Length, Measures = measures, IsPart = true }, settings);
        }
        int best = measures.Best(options.Epochs - 1);
        LogChoice(log, settings[best], $"{judged} rows, each held out in one of {parts.Length} trainings");
        return Train(Features(rows, all, log) with { ValidationRows = judged, Measures = measures, Chosen = best }, [settings[best]]);
    }

    private void LogChoice(RunLog log, LayerSetting best, string by) =>
        log.Info($"{Phase}: of {settings.Length} layers that of {best} is the best by {by}; it is trained again on all rows.");

    private Source Features(FeatureSet rows, int[] learned, RunLog log)
    {
        var limits = new RunLimits(options.Epochs);
        int batch = limits.Batch(options.BatchSize, learned.Length, ranks: ranks.Size).Batch;
        RankAgreement.Check(ranks, Phase, seed, () => Fingerprint.Of(rows.Classes), options, batch);
        int[] own = OwnRows.Of(ranks.Rank, ranks.Size, batch).Positions;
        return new()
        {
            Log = log, Limits = limits, Classes = [.. learned.Select(i => rows.Classes[i])], Batch = batch, Batches = Shuffled,
            Dimension = rows.Dimension, Skipped = rows.Skipped, Device = rows.Device, Progress = options.Progress,
        };

        IEnumerable<FeatureBatch> Shuffled(int epoch)
        {
            int[] order = [.. learned];
            RandomStreams.Open(seed, epoch, RandomStream.ProbeOrder).Shuffle(order);          // the same in every process
            for (int i = 0; i + batch <= order.Length; i += batch) yield return rows.Rows(Array.ConvertAll(own, p => order[i + p]));
        }
    }

    private (LinearClassifier Classifier, ClassifierReport Report) LearnFromViews(IDataView data, VisionEncoder encoder)
    {
        using var log = new RunLog(host, options.Logger, ranks.Rank);
        var views = options.Augmentation!.AsViews();
        var sizes = ViewSizes.For(views, encoder.Model.Options);
        var loading = options.Loading(options.MaskColumnName, options.Masks);
        int[] ofRows = ClassLabels.Read(data, label);
        long[] labelled = [.. Enumerable.Range(0, ofRows.Length).Where(row => ofRows[row] >= 0)];
        ClassLabels.Check([.. labelled.Select(row => ofRows[row])], label);
        using var store = ImageStore.Load(new RowSubsetView(data, labelled), loading, sizes.KeptSide, log.Warn, labelled);
        store.WarnOfTurned(log.Warn);
        int[] classes = [.. Enumerable.Range(0, store.Count).Select(i => ofRows[store[i].Row])];
        ClassLabels.Check(classes, label);
        var (kept, heldOut, tried) = Split(classes, log);
        var limits = new RunLimits(options.Epochs);
        int batch = limits.Batch(options.BatchSize, kept.Length, ranks: ranks.Size).Batch;
        RankAgreement.Check(ranks, Phase, seed, store.Fingerprint, options, batch);
        var own = ranks.Size == 1 ? null : OwnRows.Of(ranks.Rank, ranks.Size, batch);
        var loader = new ViewLoader(store, loading, sizes, encoder, batch, parts: 1, seed, log.Warn, kept, own);
        var plain = new PlainViews(store, encoder, options.MaskColumnName is null ? null : options.Masks);
        using var validation = heldOut.Length == 0 ? null : All(plain.Batches(heldOut).Select(Features));
        return Train(new()
        {
            Log = log, Limits = limits, Classes = [.. kept.Select(i => classes[i])], Batch = batch, Validation = validation, ValidationRows = heldOut.Length,
            Batches = epoch => loader.Epoch(epoch, options.CancellationToken).Select(Features), Skipped = store.Skipped,
            Dimension = options.Features?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim, Device = encoder.Device,
            Progress = options.Progress,
        }, tried);

        FeatureBatch Features(ViewBatch images)
        {
            using (images)
            {
                using var _ = no_grad();
                var (pixels, masks) = (images.Global.Images, images.Global.MaskTokens);
                var features = options.Features?.Forward(encoder.Model, pixels, masks) ?? encoder.Model.Forward(pixels, masks);
                return new(features, tensor(images.Rows.Select(r => (long)classes[r]).ToArray(), device: encoder.Device));
            }
        }
    }

    // Rows to learn from, rows to choose by, and the settings to choose from: one where a choice would be drawn by lot.
    private (int[] Kept, int[] HeldOut, LayerSetting[] Tried) Split(int[] classes, RunLog log)
    {
        var (kept, heldOut) = StratifiedSplit.HoldOut(classes, options.ValidationFraction, seed);
        int present = classes.Where(c => c >= 0).Distinct().Count();
        if (settings.Length == 1 || heldOut.Length >= Math.Min(present, EnoughToChooseBy)) return (kept, heldOut, settings);
        return ([.. kept.Concat(heldOut).Order()], [], [OfFewRows(kept.Length + heldOut.Length, present, heldOut.Length, log)]);
    }

    private LayerSetting OfFewRows(int rows, int classes, int heldOut, RunLog log)
    {
        var setting = LayerSetting.OfFewRows(settings);
        log.Warn($"{rows} rows of {classes} classes are too few to choose among {settings.Length} settings by those that can be held out ({heldOut}): "
            + $"{setting} is taken, and all rows are learned from.");
        return setting;
    }

    private static FeatureBatch All(IEnumerable<FeatureBatch> batches)
    {
        var all = batches.ToList();
        FeatureBatch joined = new(cat(all.Select(b => b.Features).ToList()), cat(all.Select(b => b.Labels).ToList()));
        foreach (var batch in all) batch.Dispose();
        return joined;
    }

    private (LinearClassifier Classifier, ClassifierReport Report) Train(Source source, LayerSetting[] tried)
    {
        int count = tried.Length, stepsPerEpoch = source.Classes.Length / source.Batch;
        var limits = source.Limits;
        long steps = (long)options.Epochs * stepsPerEpoch, warmup = limits.WarmupSteps(options.WarmupEpochs, stepsPerEpoch, LargestWarmup);
        double scale = source.Batch / 256.0, first = tried[0].LearningRate, decay = tried.Max(s => s.WeightDecay);
        var plan = new TrainingPlan
        {
            Phase = Phase, Epochs = options.Epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
            LearningRate = new(first * scale, options.MinLearningRate, steps, warmup, warmupReachesPeak: false),
            WeightDecay = new(decay, decay, steps),
        };
        using var heads = new LinearHeads(count, label.Count, source.Dimension, options.BatchNorm, source.Device, seed);
        using var weights = ClassLabels.Weights(options.ClassWeighting, source.Classes, label.Count, source.Device);
        var method = new ProbeMethod(heads, weights);
        float[] rates = [.. tried.Select(s => (float)(s.LearningRate / first))];
        float[] decays = [.. tried.Select(s => (float)(decay > 0 ? s.WeightDecay / decay : 1))];
        var optimizer = new StackedMomentum([heads.Weight, heads.Bias], rates, decays, options.Momentum,
            options.Optimizer == ProbeOptimizer.Lars ? TrustCoefficient : null);
        bool isSpread = ranks.Size > 1;
        if (isSpread) method.JoinRanks(RankShare.Of(ranks, source.Batch));
        using var reducer = isSpread ? new GradientReducer(ranks) : null;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, ranks.Stopping);
        var tracker = new EpochTracker(source.Log, ranks.IsRoot ? source.Progress : null, lossScale: 1.0 / count);
        var measures = source.Measures ?? new LayerMeasures(options.Epochs, count);
        int best = 0;
        if (!source.IsPart)
        {
            foreach (string adjustment in limits.Adjustments) source.Log.Info(adjustment);
            source.Log.Info(ClassifierReport.Recipe(Phase, source.Classes.Length, label.Count, source.ValidationRows, plan, warmup,
                tried.Select(s => s.LearningRate).Distinct(), source.Device.ToString()));
        }
        using var loop = new TrainingLoop<FeatureBatch>(plan, method, optimizer)
        {
            Progress = tracker, EndEpoch = EndEpoch, Reducer = reducer,
        };
        if (isSpread) loop.State.Broadcast(ranks);
        using (ranks.Watch(source.Log.Warn)) loop.Run(next => source.Batches(next.Epoch), cancellation.Token);
        return (heads.Fold(best), Report());

        bool EndEpoch(int epoch)
        {
            if (source.Validation is { } rows)
            {
                var (losses, accuracies) = method.Evaluate(rows);
                measures.Add(epoch, losses, accuracies, (int)rows.Labels.shape[0]);
                if (source.IsPart) return true;
                best = measures.Best(epoch);                // in the end the last epoch's: the best of all epochs too would be the luckiest
            }
            var (loss, accuracy) = source.ValidationRows == 0 ? (null, null) : ((double?, double?))measures.Of(source.Chosen ?? best, epoch);
            tracker.EndEpoch(loss, accuracy);
            tracker.Publish();
            return true;
        }

        ClassifierReport Report() => new()
        {
            Classes = label.Count, ValidationRows = source.ValidationRows, WarmupSteps = warmup, Epochs = tracker.Epochs,
            BestEpoch = tracker.Epochs.Count, BaseLearningRate = tried[best].LearningRate, WeightDecay = tried[best].WeightDecay,
            Run = new()
            {
                Phase = Phase, Losses = [.. loop.Losses.Select(l => l / count)], StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
                AccumulationSteps = 1, Images = source.Classes.Length, SkippedRows = source.Skipped, Elapsed = loop.Elapsed,
                LearningRate = tried[best].LearningRate * scale, Adjustments = limits.Adjustments, Device = source.Device.ToString(),
            },
        };
    }

    // What is learned from.
    private sealed record Source
    {
        public required RunLog Log { get; init; }
        public required RunLimits Limits { get; init; }
        public required int[] Classes { get; init; }
        public required int Batch { get; init; }
        public required Func<int, IEnumerable<FeatureBatch>> Batches { get; init; }
        public FeatureBatch? Validation { get; init; }
        public int ValidationRows { get; init; }
        public LayerMeasures? Measures { get; init; }        // of other trainings too
        public int? Chosen { get; init; }                   // the layer of Measures that is trained again; they are taken
        public bool IsPart { get; init; }                   // of a cross-validation
        public required int Dimension { get; init; }
        public required int Skipped { get; init; }
        public required Device Device { get; init; }
        public required IProgress<TrainingProgress>? Progress { get; init; }
    }
}
