using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>The steps of a saved ML.NET pipeline that follow its embedding: they make Score and PredictedLabel of features.</summary>
internal sealed class ClassifierSteps : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly ITransformer[] steps;
    private readonly SchemaDefinition rows;
    private readonly string[] textColumns;

    private ClassifierSteps(ITransformer[] steps, string features, int dimensions, string[] textColumns)
    {
        (this.steps, this.textColumns) = (steps, textColumns);
        rows = SchemaDefinition.Create(typeof(Row));
        var column = rows[nameof(Row.Features)];                             // found by the name that it has before it is renamed
        (column.ColumnName, column.ColumnType) = (features, new VectorDataViewType(NumberDataViewType.Single, dimensions));
        var score = Apply([new Row { Features = new float[dimensions] }]).Schema["Score"];
        VBuffer<ReadOnlyMemory<char>> names = default;
        if (score.Annotations.Schema.GetColumnOrNull("SlotNames") is not null) score.GetSlotNames(ref names);
        Classes = [.. names.DenseValues().Select(n => n.ToString())];
        if (Classes.Length < 2)
        {
            throw new InvalidOperationException("its classifier does not name its classes (column Score has no slot names). "
                + "Train it on labels that are text.");
        }
    }

    public string[] Classes { get; }

    /// <summary>Loads the steps, or null where the pipeline only embeds.</summary>
    public static ClassifierSteps? Load(byte[] model)
    {
        var ml = new MLContext(seed: 1);
        var loaded = ml.Model.Load(new MemoryStream(model, writable: false), out var input);
        var all = Flatten(loaded).ToArray();
        var graphs = all.OfType<OnnxTransformer>().ToArray();
        ClassifierSteps? following = null;
        try
        {
            int graph = Array.IndexOf(all, graphs[0]);
            ImageSteps.Check(ml, all[..graph], input);
            return following = Following(all, graph, input);
        }
        finally
        {
            // The first one's session goes: this library runs that graph itself, in batches. Others are steps that follow, if any do.
            foreach (var graph in graphs.Take(following is null ? graphs.Length : 1)) graph.Dispose();
        }
    }

    /// <summary>Frees the sessions of steps that are ONNX graphs.</summary>
    public void Dispose()
    {
        foreach (var graph in steps.OfType<OnnxTransformer>()) graph.Dispose();
    }

    /// <summary>Classifies rows of features.</summary>
    public ImageClass[] Classify(float[][] features)
    {
        var result = Apply(features.Select(f => new Row { Features = f }));
        var scores = result.GetColumn<float[]>("Score").ToArray();
        return [.. features.Select((f, row) =>
        {
            int best = Array.IndexOf(scores[row], scores[row].Max());
            return new ImageClass(Classes[best], scores[row][best], [.. Classes.Zip(scores[row], KeyValuePair.Create)], f);
        })];
    }

    private static ClassifierSteps? Following(ITransformer[] all, int graph, DataViewSchema input)
    {
        // The embedding ends with a copy to a column of the user's name and the removal of its helper columns.
        var before = Flow(all[..graph], input);
        var embedded = Flow(all[..(graph + 3)], input);
        var features = embedded.Last(c => !c.IsHidden && before.GetColumnOrNull(c.Name) is null);
        int dimensions = ((VectorDataViewType)features.Type).Size;
        var after = all[(graph + 3)..];
        bool classifies = Flow(after, embedded).GetColumnOrNull("Score") is { Type: VectorDataViewType };
        if (after.Any(ImageSteps.Includes) || (!classifies && after.Any(s => s is OnnxTransformer)))
        {
            throw new InvalidOperationException("it has an ONNX graph besides the one of its embedding step and what a classifier has after "
                + "it. Save a model with one embedding step.");
        }
        if (!classifies) return null;
        var isText = input.ToLookup(c => c.Type is TextDataViewType);
        try
        {
            return new([.. all[..graph].Where(s => !ImageSteps.Includes(s)), .. after], features.Name, dimensions, [.. isText[true].Select(c => c.Name)]);
        }
        catch (ArgumentException e) when (isText[false].Any())
        {
            // With all columns of the training data the steps fit together, as was just seen.
            throw new InvalidOperationException("it has a step for training alone, which needs a column that a served image lacks: "
                + $"{string.Join(" or ", isText[false].Select(c => $"{c.Name} ({c.Type})"))}. Fit that step apart from the pipeline and save the "
                + $"pipeline without it; make labels text first (ConvertType to String), since classes have names. ML.NET says: {e.Message}", e);
        }
    }

    private IDataView Apply(IEnumerable<Row> features)
    {
        IDataView view = ml.Data.LoadFromEnumerable(features, rows);
        foreach (string name in textColumns) view = ml.Transforms.CopyColumns(name, nameof(Row.Text)).Fit(view).Transform(view);
        return steps.Aggregate(view, (data, step) => step.Transform(data));
    }

    private static DataViewSchema Flow(IEnumerable<ITransformer> steps, DataViewSchema input) =>
        steps.Aggregate(input, (schema, step) => step.GetOutputSchema(schema));

    private static IEnumerable<ITransformer> Flatten(ITransformer step) =>
        step is IEnumerable<ITransformer> chain ? chain.SelectMany(Flatten) : [step];

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public string Text { get; set; } = "";
    }
}
