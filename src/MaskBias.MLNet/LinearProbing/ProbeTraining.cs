using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Trains linear layers side by side, and keeps the best by the rows held out.</summary>
internal sealed class ProbeTraining(LinearProbeOptions options, int classes, IRanks ranks, int seed)
{
    public const string Phase = "Linear probe";
    private const double TrustCoefficient = 0.001;      // of LARS
    private const double LargestWarmup = 1.0 / 9;       // Table 4's own: 10 of 90 epochs

    /// <summary>Trains a layer with each of the settings.</summary>
    public (LinearClassifier Classifier, ClassifierReport Report) Run(ProbeSource source, LayerSetting[] tried)
    {
        int count = tried.Length, stepsPerEpoch = source.StepsPerEpoch;
        var limits = source.Limits;
        long steps = (long)options.Epochs * stepsPerEpoch, warmup = limits.WarmupSteps(options.WarmupEpochs, stepsPerEpoch, LargestWarmup);
        double scale = source.Batch / 256.0, first = tried[0].LearningRate, decay = tried.Max(s => s.WeightDecay);
        var plan = new TrainingPlan
        {
            Phase = Phase, Epochs = options.Epochs, StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
            LearningRate = new(first * scale, options.MinLearningRate, steps, warmup, warmupReachesPeak: false),
            WeightDecay = new(decay, decay, steps),
        };
        using var heads = new LinearHeads(count, classes, source.Dimension, options.BatchNorm, source.Device, seed);
        using var weights = ClassLabels.Weights(options.ClassWeighting, source.Classes, classes, source.Device);
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
        int best = 0;
        if (!source.IsPart)
        {
            foreach (string adjustment in limits.Adjustments) source.Log.Info(adjustment);
            source.Log.Info(ClassifierReport.Recipe(Phase, source.Classes.Length, classes, source.ValidationRows, plan, warmup,
                tried.Select(s => s.LearningRate), tried.Select(s => s.WeightDecay), source.Device.ToString()));
        }
        using var loop = new TrainingLoop<FeatureBatch>(plan, method, optimizer)
        {
            Progress = tracker, EndEpoch = EndEpoch, Reducer = reducer,
        };
        if (isSpread) loop.State.Broadcast(ranks);
        using (ranks.Watch(source.Log.Warn)) loop.Run(next => source.Batches(next.Epoch), cancellation.Token);
        if (count > 1) best = ranks.FromRoot(best);         // unlike devices round unlike
        return (heads.Fold(best), Report());

        bool EndEpoch(int epoch)
        {
            var measures = source.Measures;
            if (source.Validation is { } rows)
            {
                measures ??= new(count, epoch);             // of this epoch alone
                var (losses, accuracies) = method.Evaluate(rows);
                measures.Add(epoch, losses, accuracies, (int)rows.Labels.shape[0]);
                // In the end the last epoch's: the best of all epochs too would be the luckiest.
                if (!source.IsPart) best = measures.Best(epoch) ?? best;
            }
            if (source.IsPart || measures is null) tracker.EndEpoch(null, null);
            else
            {
                var (loss, accuracy) = measures.Of(source.Chosen ?? best, epoch);
                tracker.EndEpoch(loss, accuracy);
            }
            if (source.IsPart) tracker.Forward();
            else tracker.Publish();
            return true;
        }

        ClassifierReport Report() => new()
        {
            Classes = classes, ValidationRows = source.ValidationRows, WarmupSteps = warmup, Epochs = tracker.Epochs,
            BestEpoch = tracker.Epochs.Count, BaseLearningRate = tried[best].LearningRate, WeightDecay = tried[best].WeightDecay,
            Run = new()
            {
                Phase = Phase, Losses = [.. loop.Losses.Select(l => l / count)], StepsPerEpoch = stepsPerEpoch, BatchSize = source.Batch,
                AccumulationSteps = 1, Images = source.Classes.Length, SkippedRows = source.Skipped, Elapsed = loop.Elapsed, Warnings = source.Log.Warnings,
                LearningRate = tried[best].LearningRate * scale, Adjustments = limits.Adjustments, Device = source.Device.ToString(),
            },
        };
    }
}
