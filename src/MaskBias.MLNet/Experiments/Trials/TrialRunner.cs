using System.Diagnostics;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>Trains and measures one configuration, and makes a whole model of what was trained.</summary>
internal sealed class TrialRunner(IExperimentTask task, ExperimentSettings settings, ExperimentData data)
{
    private const string FeatureColumn = "__Features";
    private const int LargestImageCache = 512, CacheShare = 8;

    /// <summary>Learns from one part of the rows and measures the other, for each of the splits.</summary>
    /// <param name="setup">The candidate.</param>
    /// <param name="point">Its configuration.</param>
    /// <param name="seed">Seed of the trial.</param>
    /// <param name="splits">Rows to learn from and rows to measure.</param>
    /// <param name="stop">Stops the trial.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public TrialOutcome Run(
        TrialSetup setup, double[] point, int seed, IReadOnlyList<(int[] Train, int[] HeldOut)> splits, CancellationToken stop)
    {
        var measured = new List<IReadOnlyDictionary<string, double>>();
        var (training, scoring) = (new Stopwatch(), new Stopwatch());
        var encoder = EncoderOf(setup, point);
        ITransformer? model = null;
        long? bytes = null;
        try
        {
            foreach (var (train, heldOut) in splits)
            {
                (model as IDisposable)?.Dispose();
                stop.ThrowIfCancellationRequested();
                var context = new MLContext(seed);
                using var cancelling = stop.Register(() => MlNetAccess.CancelExecution(context));
                training.Start();
                model = Fit(context, setup, point, seed, train, stop);
                training.Stop();
                scoring.Start();
                // Cached, since the measures may read their columns more than once.
                var scored = context.Data.Cache(Upright(model, View(setup, point, heldOut)), [settings.LabelColumnName, .. task.ScoredColumns]);
                measured.Add(task.Evaluate(context, scored, settings.LabelColumnName));
                scoring.Stop();
                stop.ThrowIfCancellationRequested();
                bytes ??= ModelSize.Of(context, model, View(setup, point, []).Schema, encoder.Encoder);
            }
        }
        catch
        {
            (model as IDisposable)?.Dispose();
            throw;
        }
        if (splits.Count > 1)
        {
            (model as IDisposable)?.Dispose();
            model = null;
        }
        var means = measured[0].Keys.ToDictionary(name => name, name => measured.Average(m => m[name]));
        return new(means, training.Elapsed, scoring.Elapsed, splits.Sum(s => s.HeldOut.Length), bytes, model);
    }

    /// <summary>Learns from some rows again, as a trial did.</summary>
    public ITransformer Fit(TrialSetup setup, double[] point, int seed, int[] rows) =>
        Fit(new(seed), setup, point, seed, rows, CancellationToken.None);

    /// <summary>The whole way from an image to a prediction.</summary>
    /// <param name="setup">The candidate.</param>
    /// <param name="point">Its configuration.</param>
    /// <param name="model">What was trained.</param>
    /// <param name="input">The schema that the experiment's data had.</param>
    public TransformerChain<ITransformer> Assemble(TrialSetup setup, double[] point, ITransformer model, DataViewSchema input)
    {
        var context = new MLContext(seed: 0);
        var view = data.Images([]);
        var steps = new List<ITransformer>();
        if (setup.FeaturesAt(point) is { } choice)
        {
            Add(new ImageEmbeddingEstimator(context, EncoderOf(setup, point).Encoder, new()
            {
                InputColumnName = settings.ImageColumnName, OutputColumnName = FeatureColumn, Blocks = FeatureLayout.Options(choice),
            }).Fit(view));
        }
        Add(model);
        if (task.Finish(context, input, settings.LabelColumnName) is { } finish) Add(finish.Fit(view));
        if (steps[0] is ImageEmbeddingTransformer) Add(context.Transforms.DropColumns(FeatureColumn).Fit(view));
        return new([.. steps]);

        void Add(ITransformer step)
        {
            steps.Add(step);
            view = step.Transform(view);
        }
    }

    public EncoderFeatures EncoderOf(TrialSetup setup, double[] point) => data.Encoders.First(e => e.Name == setup.EncoderAt(point));

    // Photos that are stored turned are learned from upright, whatever a saved model makes of them.
    private static IDataView Upright(ITransformer model, IDataView rows) =>
        model is ImageClassifier classifier ? classifier.TransformUpright(rows) : model.Transform(rows);

    private IDataView View(TrialSetup setup, double[] point, int[] rows) => setup.FeaturesAt(point) is { } choice
        ? data.Features(rows, EncoderOf(setup, point), choice, FeatureColumn)
        : data.Images(rows);

    private ITransformer Fit(MLContext context, TrialSetup setup, double[] point, int seed, int[] rows, CancellationToken stop) =>
        setup.Candidate.Create(new TrialContext(setup.Space, point)
        {
            Context = context, Encoder = EncoderOf(setup, point).Encoder, ImageColumnName = settings.ImageColumnName,
            FeatureColumnName = FeatureColumn, LabelColumnName = settings.LabelColumnName, Rows = rows.Length, Seed = seed,
            ImageCacheMegabytes = Math.Min(LargestImageCache, (settings.MaxMemoryMegabytes ?? int.MaxValue) / CacheShare),
            CancellationToken = stop,
        }).Fit(View(setup, point, rows));
}
