using MaskBias.MLNet.Experiments.Trials;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training.Data;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments;

/// <summary>Labels are classes: keys, or texts, which are mapped to keys and back.</summary>
internal sealed class ClassificationTask(ClassificationMetric metric) : IExperimentTask
{
    public string Name => "Classification";

    public string Metric => metric.ToString();

    public bool HigherIsBetter => metric != ClassificationMetric.LogLoss;

    public string[] ScoredColumns => [ClassifierShape.ScoreColumnName, ClassifierShape.PredictedLabelColumnName];

    public (IDataView View, ExperimentLabels Labels) Read(MLContext context, IDataView data, string labelColumnName)
    {
        var column = data.Schema.GetColumnOrNull(labelColumnName) ?? throw MissingColumn.Error(data.Schema, labelColumnName, "classes");
        var view = column.Type is TextDataViewType
            ? context.Transforms.Conversion.MapValueToKey(labelColumnName).Fit(data).Transform(data)
            : data;
        var label = ClassLabels.Find(view.Schema, labelColumnName);
        int[] classes = ClassLabels.Read(view, label);
        uint[] keys = [.. classes.Select(c => (uint)(c + 1))];
        return (view, new ExperimentLabels.Of<uint>(new(label.Name, label.Type, label.Annotations), keys) { Strata = classes });
    }

    public void Check(IDataView view, string labelColumnName, ExperimentLabels labels) =>
        ClassLabels.Check(labels.Strata, LabelColumn.Find(view.Schema, labelColumnName));

    public IReadOnlyDictionary<string, double> Evaluate(MLContext context, IDataView scored, string labelColumnName)
    {
        var metrics = context.MulticlassClassification.Evaluate(scored, labelColumnName);
        return new Dictionary<string, double>
        {
            [nameof(metrics.MicroAccuracy)] = metrics.MicroAccuracy, [nameof(metrics.MacroAccuracy)] = metrics.MacroAccuracy,
            [nameof(metrics.LogLoss)] = metrics.LogLoss,
        };
    }

    public IEstimator<ITransformer>? Finish(MLContext context, DataViewSchema input, string labelColumnName) =>
        input[labelColumnName].Type is TextDataViewType
            ? context.Transforms.Conversion.MapKeyToValue(ClassifierShape.PredictedLabelColumnName) : null;
}
