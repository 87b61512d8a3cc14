using System.Diagnostics;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>Measures the encoders of a study.</summary>
internal sealed class Measurer(StudyContext context)
{
    /// <summary>The group of all measures on features.</summary>
    public const string FeatureGroup = "features";

    private const int Version = 1;                      // another number measures everything anew

    /// <summary>Stands for all that measures of a cell's encoder depend on.</summary>
    public string Key(StudyCell cell, int seed, Training? training, IReadOnlyList<StudyMeasure> measures)
    {
        var (plan, images) = (context.Plan, context.Images);
        var options = measures.SelectMany(m => m.Fractions.SelectMany(f => Options(m, cell, f, seed)
            .Select(o => FormattableString.Invariant($"{m.Kind} {f} {o.Name}={o.Value}"))));
        var encoder = training is null ? PlanOptions.Values(PlanOptions.Encoder(plan, cell)).Select(o => $"{o.Name}={o.Value}") : [];
        // Where an encoder looks is found with the measures on features; no others depend on the masks of the objects.
        string? objects = plan.Data.Objects is { } source && training is not null && measures.Any(m => m.IsOnFeatures)
            ? images.MaskFolders.Key(source) : plan.Data.Objects;
        string begun = cell.IsMae ? $" {cell.Method}" : "";
        return StudyFolder.Key([FormattableString.Invariant($"measure {Version} {training?.Key} seed {seed}{begun}"), images.LabelledKey,
            $"{objects}", .. encoder, .. options]);
    }

    /// <summary>Stands for all that the result of a set of settings depends on.</summary>
    public string Key(StudySearch search, Training training) => StudyFolder.Key([training.Key,
        FormattableString.Invariant($"{search.HeldOut}"), context.Images.LabelledKey,
        .. PlanOptions.Values(PlanOptions.Neighbors(context.Plan.Neighbors)).Select(o => $"{o.Name}={o.Value}")]);

    /// <summary>Nearest neighbours and linear probes, without masks and with those of the encoder's training; and where it looks.</summary>
    public void Features(StudyCell cell, int seed, Training? training, IReadOnlyList<StudyMeasure> measures)
    {
        long start = Stopwatch.GetTimestamp();
        var ml = context.Session.Context(seed);
        using var encoder = Encoder(cell, seed, training);
        var predictions = new Dictionary<string, int[]>();
        Add("", null, null);
        var (train, test) = (context.Images.Train, context.Images.Test);
        byte[][]? guides = null;
        if (encoder.Model.IsMaskGuided)
        {
            guides = Masks(cell, test, seed);
            Add(StudyMeasure.WithMasks, Masks(cell, train, seed), guides);
        }
        var attention = training is null ? null : new AttentionMeasure(context).Of(cell, seed, encoder, guides, Counted(training));
        Write(cell, seed, training, FeatureGroup, measures, predictions, start, attention);

        void Add(string suffix, byte[][]? trainMasks, byte[][]? testMasks)
        {
            var counted = training is null ? new() : Counted(training);
            var known = Embedder.Embed(ml, encoder, context.Images.Train, trainMasks, counted, context.Cancellation);
            var asked = Embedder.Embed(ml, encoder, context.Images.Test, testMasks, counted, context.Cancellation);
            foreach (var measure in measures)
            {
                foreach (double fraction in measure.Fractions)
                {
                    context.Cancellation.ThrowIfCancellationRequested();
                    predictions[StudyMeasure.Name(measure.Kind, fraction) + suffix] = OnFeatures(ml, measure, fraction, seed, known, asked);
                }
            }
        }
    }

    /// <summary>Trains a classifier from the encoder on a share of the labels.</summary>
    public void Classifier(StudyCell cell, int seed, Training? training, StudyMeasure measure, double fraction)
    {
        long start = Stopwatch.GetTimestamp();
        var images = context.Images;
        var ml = context.Session.Context(seed);
        using var encoder = Encoder(cell, seed, training);
        int[] known = StudyLabels.Few(images.ClassesOf(images.Train), fraction, seed);
        context.Session.Train(progress =>
        {
            int[] predicted;
            if (measure.Kind == StudyMeasureKind.FineTune)
            {
                var options = PlanOptions.FineTune(measure, cell.IsMae, fraction, seed);
                // The rows are those alone that are to be learned from.
                (options.LabelFraction, options.CancellationToken, options.Progress) = (1, context.Cancellation, progress);
                using var classifier = ml.MulticlassClassification.Trainers.FineTune(encoder, options)
                    .Fit(images.Keyed(ml, known.Select(i => images.Train[i])));
                predicted = Trainer.Predict(ml, images, classifier);
            }
            else
            {
                var options = PlanOptions.SemiSupervised(measure, fraction, seed);
                var first = options.Supervised;
                (first.LabelFraction, first.CancellationToken, first.Progress) = (1, context.Cancellation, progress);
                var labelled = known.ToHashSet();
                var rows = images.Train.Select((image, i) =>
                    new Photo { ImagePath = image.ImagePath, Label = labelled.Contains(i) ? image.Label : "" });
                using var classifier = ml.MulticlassClassification.Trainers.SemiSupervised(encoder, options).Fit(images.Keyed(ml, rows));
                predicted = Trainer.Predict(ml, images, classifier);
            }
            string name = StudyMeasure.Name(measure.Kind, fraction);
            Write(cell, seed, training, Report.Page.SafeText.Slug(name), [measure with { Fractions = [fraction] }],
                new() { [name] = predicted }, start, null);
        });
    }

    /// <summary>
    /// Measures a set of settings by nearest neighbours among the images to learn from; the test images have no part in it.
    /// </summary>
    public void Search(StudySearch search, string set, Training training, string key)
    {
        var images = context.Images;
        var ml = context.Session.Context(search.Seed);
        using var encoder = Encoder(training.Cell, search.Seed, training);
        int[] held = StudyLabels.Few(images.ClassesOf(images.Train), search.HeldOut, search.Seed), classes = images.ClassesOf(images.Train);
        var heldOut = held.ToHashSet();
        int[] kept = [.. Enumerable.Range(0, classes.Length).Where(i => !heldOut.Contains(i))];
        var features = Embedder.Embed(ml, encoder, images.Train, null, new(), context.Cancellation);
        int[] predicted = Neighbors(ml, context.Plan.Neighbors, [.. kept.Select(i => features[i].Own)], [.. kept.Select(i => images.Train[i])],
            [.. held.Select(i => features[i].Own)]);
        double accuracy = held.Zip(predicted, (i, p) => classes[i] == p ? 1.0 : 0).Average();
        new SearchResult(key, set, accuracy, held.Length, training.Key).Write(context.Folder.Searched(Report.Page.SafeText.Slug(set)));
    }

    /// <summary>What the method of a cell begins with.</summary>
    public static VisionTransformer Untrained(VitOptions options, StudyCell cell, int seed) =>
        cell.IsMae ? VisionTransformer.CreateAsMae(options, seed) : new(options, seed);

    private int[] OnFeatures(MLContext ml, StudyMeasure measure, double fraction, int seed, Embedder.Features[] known,
        Embedder.Features[] asked)
    {
        var images = context.Images;
        int[] rows = StudyLabels.Few(images.ClassesOf(images.Train), fraction, seed);
        Photo[] labels = [.. rows.Select(i => images.Train[i])];
        if (measure.Kind == StudyMeasureKind.NearestNeighbors)
            return Neighbors(ml, measure, [.. rows.Select(i => known[i].Own)], labels, [.. asked.Select(a => a.Own)]);
        var options = PlanOptions.Probe(measure, seed);
        options.CancellationToken = context.Cancellation;
        var probe = ml.MulticlassClassification.Trainers.LinearProbe(options);
        return Trainer.Predict(probe.Fit(Rows(ml, [.. rows.Select(i => known[i].Blocks)], labels)),
            Rows(ml, [.. asked.Select(a => a.Blocks)], images.Test));
    }

    private int[] Neighbors(MLContext ml, StudyMeasure measure, float[][] known, IReadOnlyList<Photo> labels, float[][] asked)
    {
        var unknown = Enumerable.Repeat(new Photo { Label = context.Images.Classes[0] }, asked.Length).ToList();
        return Trainer.Predict(ml.SelfSupervised().NearestNeighbors(PlanOptions.Neighbors(measure)).Fit(Rows(ml, known, labels)),
            Rows(ml, asked, unknown));
    }

    private IDataView Rows(MLContext ml, float[][] features, IReadOnlyList<Photo> labels)
    {
        var schema = SchemaDefinition.Create(typeof(FeatureRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features[0].Length);
        return context.Images.Keyed(ml, features.Zip(labels, (f, l) => new FeatureRow { Features = f, Label = l.Label }).ToArray(), schema);
    }

    private byte[][] Masks(StudyCell cell, IReadOnlyList<Photo> images, int seed) =>
        context.Masks.Of(cell, images, seed, context.Cancellation);

    private VisionEncoder Encoder(StudyCell cell, int seed, Training? training)
    {
        var encoder = training is null
            ? new VisionEncoder(Untrained(PlanOptions.Encoder(context.Plan, cell), cell, seed))
            : EncoderCheckpoint.Load(context.Folder.Encoder(training.Key));
        encoder.Model.to(StudyContext.Device);
        return encoder;
    }

    private static MaskTokenOptions Counted(Training training) => training.Options switch
    {
        DinoOptions dino => dino.Masks,
        MaeOptions mae => mae.Masks,
        _ => new(),
    };

    private static IReadOnlyList<(string Name, string Value)> Options(StudyMeasure measure, StudyCell cell, double fraction, int seed) =>
        PlanOptions.Values(measure.Kind switch
    {
        StudyMeasureKind.NearestNeighbors => PlanOptions.Neighbors(measure),
        StudyMeasureKind.LinearProbe => PlanOptions.Probe(measure, seed),
        StudyMeasureKind.FineTune => PlanOptions.FineTune(measure, cell.IsMae, fraction, seed),
        _ => (object)PlanOptions.SemiSupervised(measure, fraction, seed),
    });

    private void Write(StudyCell cell, int seed, Training? training, string group, IReadOnlyList<StudyMeasure> measures,
        Dictionary<string, int[]> predictions, long start, AttentionResult? attention) =>
        new MeasureResult
        {
            Key = Key(cell, seed, training, measures), Cell = cell.Name, Seed = seed, Run = training?.Key, Predictions = predictions,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 2), Device = StudyContext.Device.ToString(),
            Attention = attention,
        }.Write(context.Folder.Measured(cell.Slug, seed, group));

    private sealed class FeatureRow
    {
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }
}
