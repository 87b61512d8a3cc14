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
    private const double RateOfFewRows = 0.1;           // Table 4's own
    private const double LargestWarmup = 1.0 / 9;       // Table 4's own: 10 of 90 epochs

    private readonly IHost host;
    private readonly LinearProbeOptions options;
    private readonly LabelColumn label;
    private readonly IRanks ranks;
    private readonly int seed;

    public ProbeRun(IHostEnvironment environment, LinearProbeOptions options, LabelColumn label, Device device)
    {
        (host, this.options, this.label) = (environment.Register(Phase), options, label);
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
        var (kept, heldOut, rates) = Split(rows.Classes, log);
        using var validation = heldOut.Length == 0 ? null : rows.Rows(heldOut);
        var (classifier, report) = Train(Source(kept, validation), rates);
        if (validation is null || rates.Length == 1) return (classifier, report);
        log.Info(string.Create(CultureInfo.InvariantCulture,
            $"{Phase}: of {rates.Length} rates {report.BaseLearningRate:g4} is the best; it is trained again on all rows."));
        var (again, run) = Train(Source([.. kept, .. heldOut], null), [report.BaseLearningRate]);
        return (again, report with { Run = run.Run });

        Source Source(int[] learned, FeatureBatch? judged)
        {
            var limits = new RunLimits(options.Epochs);
            int batch = limits.Batch(options.BatchSize, learned.Length, ranks: ranks.Size).Batch;
            RankAgreement.Check(ranks, Phase, seed, () => Fingerprint.Of(rows.Classes), options, batch);
            int[] own = OwnRows.Of(ranks.Rank, ranks.Size, batch).Positions;
            return new()
            {
                Log = log, Limits = limits, Classes = [.. learned.Select(i => rows.Classes[i])], Batch = batch, Validation = judged,
                Batches = epoch => Shuffled(learned, batch, own, epoch), ValidationRows = judged is null ? 0 : heldOut.Length, Dimension = rows.Dimension,
                Skipped = rows.Skipped, Device = device,
                Progress = judged is null && heldOut.Length > 0 ? null : options.Progress,       // one rate again is soon done
            };
        }

        IEnumerable<FeatureBatch> Shuffled(int[] learned, int batch, int[] own, int epoch)
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
        var (kept, heldOut, rates) = Split(classes, log);
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
        }, rates);

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

    // Rows to learn from, rows to choose by, and the rates to choose from: one where a choice would be drawn by lot.
    private (int[] Kept, int[] HeldOut, double[] Rates) Split(int[] classes, RunLog log)
    {
        var (kept, heldOut) = StratifiedSplit.HoldOut(classes, options.ValidationFraction, seed);
        int present = classes.Where(c => c >= 0).Distinct().Count();
        if (options.LearningRates.Length == 1 || heldOut.Length >= Math.Min(present, EnoughToChooseBy)) return (kept, heldOut, options.LearningRates);
        double rate = options.LearningRates.MinBy(r => Math.Abs(Math.Log(r / RateOfFewRows)));
        log.Warn(string.Create(CultureInfo.InvariantCulture, $"{kept.Length + heldOut.Length} rows of {present} classes are too few to choose among "
            + $"{options.LearningRates.Length} learning rates by those held out ({heldOut.Length}): "
            + $"{rate:g4} is taken, and all rows are learned from."));
        return ([.. kept.Concat(heldOut).Order()], [], [rate]);
    }

    private static FeatureBatch All(IEnumerable<FeatureBatch> batches)
    {
        var all = batches.ToList();
        FeatureBatch joined = new(cat(all.Select(b => b.Features).ToList()), cat(all.Select(b => b.Labels).ToList()));
        foreach (var batch in all) batch.Dispose();
        return joined;
    }

    private (LinearClassifier Classifier, ClassifierReport Report) Train(Source source, double[] rates)
    {
        int count = rates.Length, stepsPerEpoch = source.Classes.Length / source.Batch;
        var limits = source.Limits;
        long steps = (long)options.Epochs * stepsPerEpoch, warmup = limits.WarmupSteps(options.WarmupEpochs, stepsPerEpoch, LargestWarmup);
        double scale = source.Batch / 256.0, first = rates[0];
        var plan = new TrainingPlan
        {
            Phase = Phase, Epochs = options.Epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
            LearningRate = new(first * scale, options.MinLearningRate, steps, warmup, warmupReachesPeak: false),
            WeightDecay = new(options.WeightDecay, options.WeightDecay, steps),
        };
        using var heads = new LinearHeads(count, label.Count, source.Dimension, options.BatchNorm, source.Device, seed);
        using var weights = ClassLabels.Weights(options.ClassWeighting, source.Classes, label.Count, source.Device);
        var method = new ProbeMethod(heads, weights);
        float[] factors = [.. rates.Select(rate => (float)(rate / first))];
        var optimizer = new StackedMomentum([heads.Weight, heads.Bias], factors, options.Momentum,
            options.Optimizer == ProbeOptimizer.Lars ? TrustCoefficient : null);
        bool isSpread = ranks.Size > 1;
        if (isSpread) method.JoinRanks(RankShare.Of(ranks, source.Batch));
        using var reducer = isSpread ? new GradientReducer(ranks) : null;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, ranks.Stopping);
        var tracker = new EpochTracker(source.Log, ranks.IsRoot ? source.Progress : null, lossScale: 1.0 / count);
        int best = 0;
        foreach (string adjustment in limits.Adjustments) source.Log.Info(adjustment);
        source.Log.Info(ClassifierReport.Recipe(Phase, source.Classes.Length, label.Count, source.ValidationRows, plan, warmup, rates, source.Device.ToString()));
        using var loop = new TrainingLoop<FeatureBatch>(plan, method, optimizer)
        {
            Progress = tracker, EndEpoch = EndEpoch, Reducer = reducer,
        };
        if (isSpread) loop.State.Broadcast(ranks);
        using (ranks.Watch(source.Log.Warn)) loop.Run(next => source.Batches(next.Epoch), cancellation.Token);
        return (heads.Fold(best), Report());

        bool EndEpoch(int epoch)
        {
            if (source.Validation is null)
            {
                tracker.EndEpoch(null, null);
                tracker.Publish();
                return true;
            }
            var (losses, accuracies) = method.Evaluate(source.Validation);
            // By the loss: among few rows it is less of a lottery than the number of right answers.
            int leader = Enumerable.Range(0, count).MinBy(h => double.IsNaN(losses[h]) ? double.PositiveInfinity : losses[h]);
            tracker.EndEpoch(losses[leader], accuracies[leader]);
            tracker.Publish();
            best = leader;                              // the last epoch's: the best of all epochs too would be the luckiest
            return true;
        }

        ClassifierReport Report() => new()
        {
            Classes = label.Count, ValidationRows = source.ValidationRows, WarmupSteps = warmup, Epochs = tracker.Epochs,
            BestEpoch = tracker.Epochs.Count, BaseLearningRate = rates[best],
            Run = new()
            {
                Phase = Phase, Losses = [.. loop.Losses.Select(l => l / count)], StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
                AccumulationSteps = 1, Images = source.Classes.Length, SkippedRows = source.Skipped, Elapsed = loop.Elapsed,
                LearningRate = rates[best] * scale, Adjustments = limits.Adjustments, Device = source.Device.ToString(),
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
        public required FeatureBatch? Validation { get; init; }
        public required int ValidationRows { get; init; }
        public required int Dimension { get; init; }
        public required int Skipped { get; init; }
        public required Device Device { get; init; }
        public required IProgress<TrainingProgress>? Progress { get; init; }
    }
}
