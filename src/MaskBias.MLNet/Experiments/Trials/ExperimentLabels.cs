using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>The labels of an experiment's rows.</summary>
internal abstract class ExperimentLabels
{
    /// <summary>
    /// What a stratified split keeps in proportion: the class of each row, or the tenth that its target lies in; −1 without a label.
    /// </summary>
    public required int[] Strata { get; init; }

    /// <summary>Rows in all.</summary>
    public int Count => Strata.Length;

    /// <summary>Some rows' labels and features as a data view.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="features">Features of every row.</param>
    /// <param name="part">Which of them are the column.</param>
    /// <param name="featureColumnName">The column.</param>
    public abstract IDataView Table(int[] rows, float[][] features, (int Start, int Length) part, string featureColumnName);

    /// <summary>The labels of some rows.</summary>
    public abstract ExperimentLabels Subset(int[] rows);

    /// <summary>The label of a row as a text that tells it from others.</summary>
    public abstract string Text(int row);

    /// <summary>Keys or numbers.</summary>
    public sealed class Of<T>(DataViewSchema.DetachedColumn column, T[] values) : ExperimentLabels where T : struct, IFormattable
    {
        public override IDataView Table(int[] rows, float[][] features, (int Start, int Length) part, string featureColumnName) =>
            new FeatureTable<T>(column, [.. rows.Select(r => values[r])], featureColumnName, [.. rows.Select(r => features[r])], part);

        public override ExperimentLabels Subset(int[] rows) =>
            new Of<T>(column, [.. rows.Select(r => values[r])]) { Strata = [.. rows.Select(r => Strata[r])] };

        public override string Text(int row) => values[row].ToString("r", System.Globalization.CultureInfo.InvariantCulture);
    }
}
