using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Samples.Search.Collection;
using MaskBias.MLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Search.Training;

/// <summary>A linear classifier of embeddings. Safe for many threads.</summary>
internal sealed class Probe
{
    private const string ScoreColumnName = "Score";

    private readonly MLContext ml = new(seed: 1);
    private readonly ITransformer model;
    private readonly SchemaDefinition rows;

    private Probe(ITransformer model, int dimensions)
    {
        (this.model, rows) = (model, Rows(dimensions));
        VBuffer<ReadOnlyMemory<char>> names = default;
        model.GetOutputSchema(Load([]).Schema)[ScoreColumnName].GetSlotNames(ref names);
        Classes = [.. names.DenseValues().Select(n => n.ToString())];
    }

    public IReadOnlyList<string> Classes { get; }

    /// <summary>Learns from labelled embeddings.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Probe Train(
        IReadOnlyList<(string Label, float[] Features)> labelled, int epochs, IProgress<TrainingProgress> progress,
        CancellationToken cancel)
    {
        var ml = new MLContext(seed: 1);
        int dimensions = labelled[0].Features.Length;
        var rows = labelled.Select(l => new FeatureRow { Label = l.Label, Features = l.Features });
        var data = ml.Data.LoadFromEnumerable(rows, Rows(dimensions));
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        var options = LinearProbeOptions.Sweep();
        (options.Epochs, options.Seed, options.Progress, options.CancellationToken) = (epochs, 1, progress, cancel);
        return new(ml.MulticlassClassification.Trainers.LinearProbe(options).Fit(keyed), dimensions);
    }

    /// <summary>Reads a probe that <see cref="Save"/> wrote.</summary>
    public static Probe Read(string path, int dimensions) => new(new MLContext(seed: 1).Model.Load(path, out _), dimensions);

    /// <summary>Writes it as an ML.NET model from Features to Score; the old file stays until the new one is complete.</summary>
    public void Save(string path)
    {
        string temporary = path + ".tmp";
        ml.Model.Save(model, Load([]).Schema, temporary);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The probability of every class for each embedding, the most probable first.</summary>
    public IReadOnlyList<Guess[]> Classify(IEnumerable<ReadOnlyMemory<float>> embeddings)
    {
        var scored = model.Transform(Load(embeddings.Select(e => new FeatureRow { Features = e.ToArray() })));
        return [.. scored.GetColumn<float[]>(ScoreColumnName)
            .Select(scores => Classes.Zip(scores, (label, p) => new Guess(label, p)).OrderByDescending(g => g.Confidence).ToArray())];
    }

    private IDataView Load(IEnumerable<FeatureRow> features) => ml.Data.LoadFromEnumerable(features, rows);

    private static SchemaDefinition Rows(int dimensions)
    {
        var rows = SchemaDefinition.Create(typeof(FeatureRow));
        rows[nameof(FeatureRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return rows;
    }
}
