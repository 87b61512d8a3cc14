using MaskBias.MLNet.Experiments.Trials;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments;

/// <summary>Labels are numbers; those that are not finite count as missing.</summary>
internal sealed class RegressionTask(RegressionMetric metric) : IExperimentTask
{
    private const int Strata = 10;

    public string Name => "Regression";

    public string Metric => metric.ToString();

    public bool HigherIsBetter => metric == RegressionMetric.RSquared;

    public string[] ScoredColumns => [ClassifierShape.ScoreColumnName];

    public (IDataView View, ExperimentLabels Labels) Read(MLContext context, IDataView data, string labelColumnName)
    {
        var column = data.Schema.GetColumnOrNull(labelColumnName) ?? throw MissingColumn.Error(data.Schema, labelColumnName, "targets");
        if (column.Type is not NumberDataViewType)
            throw new ArgumentException($"Column '{labelColumnName}' is {column.Type}; a column of targets must be a number.");
        var view = column.Type == NumberDataViewType.Single
            ? data : context.Transforms.Conversion.ConvertType(labelColumnName, outputKind: DataKind.Single).Fit(data).Transform(data);
        float[] targets = [.. view.GetColumn<float>(labelColumnName)];
        return (view, new ExperimentLabels.Of<float>(new(labelColumnName, NumberDataViewType.Single), targets) { Strata = Tenths(targets) });
    }

    public void Check(IDataView view, string labelColumnName, ExperimentLabels labels)
    {
        if (labels.Count == 0)
            throw new ArgumentException($"No row with a usable image has a finite number in column '{labelColumnName}'; a regression needs some.");
        string first = labels.Text(0);
        if (Enumerable.Range(1, labels.Count - 1).All(i => labels.Text(i) == first))
            throw new ArgumentException($"All {labels.Count} rows have the target {first} in column '{labelColumnName}'; there is nothing to learn.");
    }

    public IReadOnlyDictionary<string, double> Evaluate(MLContext context, IDataView scored, string labelColumnName)
    {
        var metrics = context.Regression.Evaluate(scored, labelColumnName);
        return new Dictionary<string, double>
        {
            [nameof(metrics.RSquared)] = metrics.RSquared, [nameof(metrics.MeanAbsoluteError)] = metrics.MeanAbsoluteError,
            [nameof(metrics.RootMeanSquaredError)] = metrics.RootMeanSquaredError,
        };
    }

    public IEstimator<ITransformer>? Finish(MLContext context, DataViewSchema input, string labelColumnName) => null;

    // The tenth of the finite targets that each lies in, −1 for the others.
    private static int[] Tenths(float[] targets)
    {
        int[] order = [.. Enumerable.Range(0, targets.Length).Where(i => float.IsFinite(targets[i])).OrderBy(i => targets[i])];
        int[] strata = new int[targets.Length];
        Array.Fill(strata, -1);
        for (int i = 0; i < order.Length; i++) strata[order[i]] = (int)((long)i * Strata / order.Length);
        return strata;
    }
}
