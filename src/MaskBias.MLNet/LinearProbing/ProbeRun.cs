using System.Globalization;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
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

/// <summary>
/// Trains linear layers on features: of the plain images, computed once, or of views that are cut anew in every epoch. Where there are several
/// settings the best is found by rows held out: of few rows, whose features are computed once, all in turn.
/// </summary>
internal sealed class ProbeRun
{
    private const int EnoughToChooseBy = 30, FewRows = 4000, MostParts = 10;

    private readonly IHost host;
    private readonly LinearProbeOptions options;
    private readonly LabelColumn label;
    private readonly IRanks ranks;
    private readonly int seed;
    private readonly LayerSetting[] settings;           // to choose from
    private readonly ProbeTraining training;

    public ProbeRun(IHostEnvironment environment, LinearProbeOptions options, LabelColumn label, Device device)
    {
        (host, this.options, this.label, settings) = (environment.Register(ProbeTraining.Phase), options, label, LayerSetting.All(options));
        (ranks, seed) = Ranks.Open(
            options.Distributed, options.DistributedTimeoutSeconds, device, joined => joined.FromRoot(options.Seed ?? host.Rand.Next()));
        training = new(options, label.Count, ranks, seed);
    }

    /// <summary>Learns from a column of features.</summary>
    /// <param name="embed">Gives the rows with that column.</param>
    /// <param name="featureColumnName">The column.</param>
    /// <param name="device">Where to learn.</param>
    /// <param name="turned">What counts images that are stored turned while their features are computed.</param>
    public (LinearClassifier Classifier, ClassifierReport Report) OnFeatures(
        Func<IDataView> embed, string featureColumnName, Device device, TurnedImages? turned = null)
    {
        using var _ = ranks;
        return ranks.Guard(() => LearnFromFeatures(embed(), featureColumnName, device, turned));
    }

    /// <summary>Learns from views of images, cut as the options say.</summary>
    /// <param name="data">The rows; those without a class are left out.</param>
    /// <param name="encoder">Computes the features; it stays as it is.</param>
    public (LinearClassifier Classifier, ClassifierReport Report) OnViews(IDataView data, VisionEncoder encoder)
    {
        using var _ = ranks;
        return ranks.Guard(() => LearnFromViews(data, encoder));
    }

    private (LinearClassifier Classifier, ClassifierReport Report) LearnFromFeatures(
        IDataView data, string featureColumnName, Device device, TurnedImages? turned)
    {
        using var log = new RunLog(host, options.Logger, ranks.Rank);
        using var rows = FeatureSet.Read(data, featureColumnName, label, device, options.CancellationToken);
        turned?.Warn(rows.Classes.Length + rows.Skipped, log.Warn);
        if (rows.Skipped > 0) log.Warn($"{rows.Skipped} rows have features that are not finite numbers and are left out.");
        ClassLabels.Check(rows.Classes, label);
        return settings.Length > 1 && rows.Classes.Length < FewRows ? CrossValidate(rows, log) : HoldOut(rows, log);
    }

    // The layers are judged by rows that are held out of training, and the best is trained again on all.
    private (LinearClassifier Classifier, ClassifierReport Report) HoldOut(FeatureSet rows, RunLog log)
    {
        var (kept, heldOut, tried) = Split(rows.Classes, log);
        using var validation = heldOut.Length == 0 ? null : rows.Rows(heldOut);
        var source = Features(rows, kept, log) with { Validation = validation, ValidationRows = heldOut.Length };
        if (validation is null || tried.Length == 1) return training.Run(source, tried);
        var whole = Features(rows, [.. kept, .. heldOut], log);
        var progress = JoinedProgress.Of(options.Progress, [source, whole], options.Epochs);
        var (classifier, report) = training.Run(source with { Progress = progress?.Next() }, tried);
        var best = new LayerSetting(report.BaseLearningRate, report.WeightDecay);
        log.Info(Choice(best, heldOut.Length) + "; it is trained again on all rows.");
        var (again, run) = training.Run(whole with { Progress = progress?.Next() }, [best]);
        return (again, report with { Run = run.Run with { Elapsed = report.Run.Elapsed + run.Run.Elapsed } });
    }

    // Each row is held out once, but for the only one of a class.
    private (LinearClassifier Classifier, ClassifierReport Report) CrossValidate(FeatureSet rows, RunLog log)
    {
        var counts = rows.Classes.CountBy(c => c).ToDictionary();
        int folds = Math.Clamp((int)Math.Round(1 / options.ValidationFraction), 2, MostParts);
        int[][] parts = [.. StratifiedSplit.Folds([.. rows.Classes.Select(c => counts[c] > 1 ? c : -1)], folds, seed).Where(part => part.Length > 0)];
        int[] all = [.. Enumerable.Range(0, rows.Classes.Length)];
        int judged = parts.Sum(part => part.Length);
        var tried = judged < EnoughToChooseBy ? [OfFewRows(all.Length, counts.Count, judged, log)] : settings;
        if (judged == 0) return training.Run(Features(rows, all, log), tried);

        var measures = new LayerMeasures(tried.Length);
        var others = Array.ConvertAll(parts, part =>
            Features(rows, [.. all.Except(part)], log) with { ValidationRows = part.Length, Measures = measures, IsPart = true });
        var whole = Features(rows, all, log) with { ValidationRows = judged, Measures = measures };
        var progress = JoinedProgress.Of(options.Progress, [.. others, whole], options.Epochs);
        var elapsed = TimeSpan.Zero;
        for (int i = 0; i < parts.Length; i++)
        {
            log.Info($"{ProbeTraining.Phase}: training {i + 1} of {parts.Length + 1}; settings: {tried.Length}, rows held out: {parts[i].Length}.");
            using var validation = rows.Rows(parts[i]);
            elapsed += training.Run(others[i] with { Validation = validation, Progress = progress?.Next() }, tried).Report.Run.Elapsed;
        }
        int best = ranks.FromRoot(measures.Best(options.Epochs - 1) ?? throw Diverged(tried, whole.StepsPerEpoch));
        if (tried.Length > 1) log.Info(Choice(tried[best], judged) + $", each out of one of {parts.Length} trainings; it is trained again on all rows.");
        var (classifier, report) = training.Run(whole with { Chosen = best, Progress = progress?.Next() }, [tried[best]]);
        return (classifier, report with { Run = report.Run with { Elapsed = elapsed + report.Run.Elapsed } });
    }

    private string Choice(LayerSetting best, int judged) =>
        $"{ProbeTraining.Phase}: {best} is the best of {settings.Length} settings by {judged} rows held out";

    private TrainingDivergedException Diverged(LayerSetting[] tried, int stepsPerEpoch) => new(ProbeTraining.Phase,
        new(options.Epochs - 1, (long)options.Epochs * stepsPerEpoch), "loss of every setting on rows held out", double.NaN,
        tried.Min(s => s.LearningRate), []);

    private ProbeSource Features(FeatureSet rows, int[] learned, RunLog log)
    {
        var limits = new RunLimits(options.Epochs);
        int batch = limits.Batch(options.BatchSize, learned.Length, ranks: ranks.Size).Batch;
        RankAgreement.Check(ranks, ProbeTraining.Phase, seed, () => Fingerprint.Of(rows.Classes), options, batch);
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
        RankAgreement.Check(ranks, ProbeTraining.Phase, seed, store.Fingerprint, options, batch);
        var own = ranks.Size == 1 ? null : OwnRows.Of(ranks.Rank, ranks.Size, batch);
        var loader = new ViewLoader(store, loading, sizes, encoder, batch, parts: 1, seed, log.Warn, kept, own);
        var plain = new PlainViews(store, encoder, options.MaskColumnName is null ? null : options.Masks);
        using var validation = heldOut.Length == 0 ? null : All(plain.Batches(heldOut).Select(Features));
        var (classifier, report) = training.Run(new()
        {
            Log = log, Limits = limits, Classes = [.. kept.Select(i => classes[i])], Batch = batch,
            Validation = validation, ValidationRows = heldOut.Length, Skipped = store.Skipped,
            Batches = epoch => loader.Epoch(epoch, options.CancellationToken).Select(Features),
            Dimension = options.Features?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim, Device = encoder.Device,
            Progress = options.Progress,
        }, tried);
        if (tried.Length > 1) log.Info(Choice(new(report.BaseLearningRate, report.WeightDecay), heldOut.Length) + ".");
        return (classifier, report);

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
        if (settings.Length == 1 || heldOut.Length >= EnoughToChooseBy) return (kept, heldOut, settings);
        int present = classes.Where(c => c >= 0).Distinct().Count();
        return ([.. kept.Concat(heldOut).Order()], [], [OfFewRows(kept.Length + heldOut.Length, present, heldOut.Length, log)]);
    }

    private LayerSetting OfFewRows(int rows, int classes, int heldOut, RunLog log)
    {
        var setting = LayerSetting.OfFewRows(settings);
        log.Warn($"{rows} rows of {classes} classes are too few to choose among {settings.Length} settings by those that can be held out "
            + $"({heldOut}): {setting} is taken, and all rows are learned from.");
        return setting;
    }

    private static FeatureBatch All(IEnumerable<FeatureBatch> batches)
    {
        var all = batches.ToList();
        FeatureBatch joined = new(cat(all.Select(b => b.Features).ToList()), cat(all.Select(b => b.Labels).ToList()));
        foreach (var batch in all) batch.Dispose();
        return joined;
    }
}
