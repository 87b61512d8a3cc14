using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.Transforms.Onnx;

namespace MaskBias.MLNet.Extensions.Models;

/// <summary>The steps of a saved ML.NET pipeline that follow its embedding: they make Score and PredictedLabel of features.</summary>
internal sealed class ClassifierSteps
{
    private readonly MLContext ml = new(seed: 1);
    private readonly ITransformer[] steps;
    private readonly SchemaDefinition rows;
    private readonly string[] otherColumns;

    private ClassifierSteps(ITransformer[] steps, string features, int dimensions, string[] otherColumns)
    {
        (this.steps, this.otherColumns) = (steps, otherColumns);
        rows = SchemaDefinition.Create(typeof(Row));
        var column = rows[nameof(Row.Features)];                             // found by the name that it has before it is renamed
        (column.ColumnName, column.ColumnType) = (features, new VectorDataViewType(NumberDataViewType.Single, dimensions));
        var score = Apply([new Row { Features = new float[dimensions] }]).Schema["Score"];
        VBuffer<ReadOnlyMemory<char>> names = default;
        score.GetSlotNames(ref names);
        Classes = [.. names.DenseValues().Select(n => n.ToString())];
        if (Classes.Length < 2) throw new InvalidOperationException("its classifier does not name its classes (column Score has no slot names).");
    }

    public string[] Classes { get; }

    /// <summary>Loads the steps, or null where the pipeline only embeds.</summary>
    public static ClassifierSteps? Load(byte[] model)
    {
        var loaded = new MLContext(seed: 1).Model.Load(new MemoryStream(model, writable: false), out var input);
        var all = Flatten(loaded).ToArray();
        int graph = Array.FindIndex(all, s => s is OnnxTransformer);
        var source = (OnnxTransformer)all[graph];
        try
        {
            return Following(all, graph, input);
        }
        finally
        {
            source.Dispose();                                                 // its session: this library runs the graph itself, in batches
        }
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
        var images = all[..graph].Where(s => s is ImageLoadingTransformer or ImageResizingTransformer or ImagePixelExtractingTransformer);
        ITransformer[] rest = [.. all[..graph].Except(images), .. all[(graph + 3)..]];
        string[] others = [.. input.Where(c => c.Type is TextDataViewType).Select(c => c.Name)];
        bool classifies = Flow(all[(graph + 3)..], embedded).GetColumnOrNull("Score") is { Type: VectorDataViewType };
        return classifies ? new ClassifierSteps(rest, features.Name, dimensions, others) : null;
    }

    private IDataView Apply(IEnumerable<Row> features)
    {
        IDataView view = ml.Data.LoadFromEnumerable(features, rows);
        foreach (string name in otherColumns) view = ml.Transforms.CopyColumns(name, nameof(Row.Text)).Fit(view).Transform(view);
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
