using System.Globalization;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Monitoring;

/// <summary>Classifies held-out training images by their nearest neighbours, with the encoder as it is at that moment.</summary>
internal sealed class NearestNeighborMonitor
{
    private readonly NearestNeighborMonitorOptions options;
    private readonly VisionEncoder encoder;
    private readonly PlainViews views;
    private readonly IRanks ranks;
    private readonly int[] classes;             // of every image; −1 where there is none
    private readonly int[] neighbours, heldOut;
    private readonly SortedDictionary<int, double> accuracies = [];

    /// <param name="ofRows">The class of every row that <paramref name="store"/> was loaded from; −1 where there is none.</param>
    /// <param name="store">The images.</param>
    /// <param name="encoder">What is measured; it stays in the mode it is in.</param>
    /// <param name="training">The run's options; they name a monitor.</param>
    /// <param name="seed">Draws the images.</param>
    /// <param name="ranks">Those that share the work; null for this process alone.</param>
    /// <exception cref="ArgumentException">No image can be held out, or there is nothing to tell it from.</exception>
    public NearestNeighborMonitor(int[] ofRows, ImageStore store, VisionEncoder encoder, PretrainingOptions training, int seed, IRanks? ranks = null)
    {
        this.ranks = ranks ?? OneRank.Instance;
        options = training.NearestNeighborMonitor!;
        this.encoder = encoder;
        views = new(store, encoder, options.UseMasks && encoder.Model.Options.MaskBias is not null ? training.Masks : null);
        classes = [.. Enumerable.Range(0, store.Count).Select(i => ofRows[store[i].Row])];
        int[] drawn = [.. Enumerable.Range(0, store.Count).Where(i => classes[i] >= 0)];
        new Random(seed).Shuffle(drawn);
        drawn = [.. drawn.Take(options.MaxImages).Order()];
        var (kept, held) = StratifiedSplit.HoldOut([.. drawn.Select(i => classes[i])], options.HeldOutFraction, seed);
        (neighbours, heldOut) = ([.. kept.Select(i => drawn[i])], [.. held.Select(i => drawn[i])]);
        if (heldOut.Length > 0 && neighbours.Select(i => classes[i]).Distinct().Count() > 1) return;
        throw new ArgumentException($"NearestNeighborMonitor needs two classes with two images in one of them; of {store.Count} usable "
            + $"images {drawn.Length} have a class in column '{options.LabelColumnName}', of {drawn.Select(i => classes[i]).Distinct().Count()} classes.");
    }

    /// <summary>What was measured so far, by epoch, counted from 1.</summary>
    public IReadOnlyDictionary<int, double> Accuracies => accuracies;

    /// <summary>Adds the measure to a report at the end of an epoch where one is due.</summary>
    public TrainingProgress AtEndOfEpoch(TrainingProgress progress, RunLog log)
    {
        if (progress.Epoch % options.EveryEpochs != 0 && progress.Epoch != progress.Epochs) return progress;
        double accuracy = accuracies[progress.Epoch] = Measure();
        log.Info(string.Create(CultureInfo.InvariantCulture,
            $"{progress.Phase}: epoch {progress.Epoch} of {progress.Epochs}, k-NN accuracy {accuracy:0.0000} of {heldOut.Length} images by {neighbours.Length} others."));
        return progress with { Metrics = new Dictionary<string, double>(progress.Metrics) { [TrainingProgress.NearestNeighborMetric] = accuracy } };
    }

    // Share of the held-out images whose class the most votes are for; NaN where the features are.
    private double Measure()
    {
        bool trains = encoder.Model.training;
        encoder.Model.eval();
        try
        {
            var (train, trainClasses) = Embed(neighbours);
            var (test, testClasses) = Embed(heldOut);
            if (train.Length == 0 || test.Length == 0 || train.Concat(test).Any(row => !row.All(float.IsFinite))) return double.NaN;
            return NearestNeighborClassifier.Accuracy(train, trainClasses, test, testClasses, options.K, options.Temperature);
        }
        finally
        {
            if (trains) encoder.Model.train();
        }
    }

    private (float[][] Features, int[] Classes) Embed(int[] images)
    {
        var (features, seen) = (new List<float[]>(), new List<int>());
        int from = (int)((long)images.Length * ranks.Rank / ranks.Size), to = (int)((long)images.Length * (ranks.Rank + 1) / ranks.Size);
        foreach (var batch in views.Batches(images[from..to]))
        {
            using var _ = batch;
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            float[] values = encoder.Model.Forward(batch.Global.Images, batch.Global.MaskTokens).cpu().data<float>().ToArray();
            features.AddRange(values.Chunk(encoder.FeatureDim));
            seen.AddRange(batch.Rows.Select(row => classes[row]));
        }
        return ranks.Size == 1 ? ([.. features], [.. seen]) : Joined([.. features.SelectMany(f => f)], [.. seen]);
    }

    // Of all ranks, in their order.
    private (float[][] Features, int[] Classes) Joined(float[] features, int[] seen)
    {
        byte[][] all = ranks.Gather(MemoryMarshal.AsBytes(features.AsSpan())), classesOfAll = ranks.Gather(MemoryMarshal.AsBytes(seen.AsSpan()));
        return ([.. all.SelectMany(bytes => MemoryMarshal.Cast<byte, float>(bytes).ToArray().Chunk(encoder.FeatureDim))],
            [.. classesOfAll.SelectMany(bytes => MemoryMarshal.Cast<byte, int>(bytes).ToArray())]);
    }
}
