using System.Diagnostics;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>The rows of an experiment that have a label and a readable image, and what each encoder makes of them.</summary>
internal sealed class ExperimentData
{
    private const string Embedded = "__Experiment";

    private readonly IDataView view;
    private readonly long[] positions;          // of the rows in the view

    private ExperimentData(
        IDataView view, long[] positions, ExperimentLabels labels, IReadOnlyList<EncoderFeatures> encoders, string fingerprint, TimeSpan time) =>
        (this.view, this.positions, Labels, Encoders, Fingerprint, EmbeddingTime) = (view, positions, labels, encoders, fingerprint, time);

    public ExperimentLabels Labels { get; }

    public IReadOnlyList<EncoderFeatures> Encoders { get; }

    /// <summary>Equal only where the rows, their images and their labels are.</summary>
    public string Fingerprint { get; }

    /// <summary>How long the features took.</summary>
    public TimeSpan EmbeddingTime { get; }

    public int Count => positions.Length;

    /// <summary>The schema of <see cref="Images"/>.</summary>
    public DataViewSchema Schema => view.Schema;

    /// <summary>Some rows with all their columns.</summary>
    public IDataView Images(int[] rows) => new RowSubsetView(view, rows.Select(r => positions[r]));

    /// <summary>Some rows' labels and features.</summary>
    public IDataView Features(int[] rows, EncoderFeatures encoder, FeatureChoice choice, string featureColumnName) =>
        Labels.Table(rows, encoder.Rows, FeatureLayout.Part(choice, encoder.Encoder.Model.Options), featureColumnName);

    /// <summary>Reads the labels and computes the features of all encoders.</summary>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or there is nothing to learn.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ExperimentData Load(
        MLContext context, IDataView data, IReadOnlyDictionary<string, VisionEncoder> encoders, IExperimentTask task, string imageColumnName,
        string labelColumnName, RunLog log, CancellationToken cancellation)
    {
        _ = ImageColumn.Find(data.Schema, imageColumnName);
        var (view, labels) = task.Read(context, data, labelColumnName);
        long[] labelled = [.. Enumerable.Range(0, labels.Count).Where(i => labels.Strata[i] >= 0).Select(i => (long)i)];
        if (labelled.Length < labels.Count)
            log.Warn($"{labels.Count - labelled.Length} of {labels.Count} rows have no usable label and are left out.");
        task.Check(view, labelColumnName, labels.Subset([.. labelled.Select(i => (int)i)]));

        var clock = Stopwatch.StartNew();
        var rows = new RowSubsetView(view, labelled);
        using var hash = new RowHash(imageColumnName);
        var turned = new TurnedImages();
        var computed = encoders.Select((e, i) => i == 0
            ? Compute(context, rows, e.Key, e.Value, labelled.Length, imageColumnName, hash, turned, cancellation)
            : Compute(context, rows, e.Key, e.Value, labelled.Length, imageColumnName, null, null, cancellation)).ToList();
        turned.Warn(labelled.Length, log.Warn);
        int[] readable = [.. Enumerable.Range(0, labelled.Length).Where(i => computed.All(c => c.Rows[i].All(float.IsFinite)))];
        if (readable.Length < labelled.Length)
        {
            log.Warn($"{labelled.Length - readable.Length} of {labelled.Length} images cannot be read, or give features that are no numbers, "
                + "and are left out.");
        }
        clock.Stop();
        long[] positions = [.. readable.Select(i => labelled[i])];
        var kept = labels.Subset([.. positions.Select(p => (int)p)]);
        task.Check(view, labelColumnName, kept);
        var features = computed.Select(c => c with { Rows = [.. readable.Select(i => c.Rows[i])] });
        return new(view, positions, kept, [.. features], hash.Of(kept), clock.Elapsed);
    }

    private static EncoderFeatures Compute(
        MLContext context, IDataView rows, string name, VisionEncoder encoder, int count, string imageColumnName, RowHash? hash,
        TurnedImages? turned, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var embed = new ImageEmbeddingEstimator(context, encoder, new()
        {
            InputColumnName = imageColumnName, OutputColumnName = Embedded, Blocks = FeatureLayout.All,
            OnUnreadableImage = UnreadableImage.MissingValue, ApplyOrientation = true,        // as encoders are trained
        }, turned: turned).Fit(rows);
        var embedded = embed.Transform(rows);
        var features = new List<float[]>(count);
        var column = embedded.Schema[Embedded];
        using var cursor = embedded.GetRowCursor(hash is null ? [column] : [column, embedded.Schema[imageColumnName]]);
        var read = cursor.GetGetter<VBuffer<float>>(column);
        hash?.Read(cursor);
        VBuffer<float> vector = default;
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            read(ref vector);
            features.Add([.. vector.DenseValues()]);
            hash?.AppendRow();
        }
        return new(name, encoder, [.. features], clock.Elapsed.TotalMilliseconds / Math.Max(1, features.Count));
    }
}
