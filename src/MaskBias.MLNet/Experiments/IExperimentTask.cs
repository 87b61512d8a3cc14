using MaskBias.MLNet.Experiments.Trials;
using Microsoft.ML;

namespace MaskBias.MLNet.Experiments;

/// <summary>What differs between classification and regression: labels, metrics, and what the finished model adds.</summary>
internal interface IExperimentTask
{
    /// <summary>"Classification" or "Regression".</summary>
    string Name { get; }

    /// <summary>The optimising metric.</summary>
    string Metric { get; }

    /// <summary>Whether a large value of it is good.</summary>
    bool HigherIsBetter { get; }

    /// <summary>The columns of a scored view that <see cref="Evaluate"/> reads beside the label.</summary>
    string[] ScoredColumns { get; }

    /// <summary>Makes the label a key or a number, and reads it.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type, or there is nothing to learn.</exception>
    (IDataView View, ExperimentLabels Labels) Read(MLContext context, IDataView data, string labelColumnName);

    /// <summary>Checks that some rows can be learned from.</summary>
    /// <exception cref="ArgumentException">There is nothing to learn.</exception>
    void Check(IDataView view, string labelColumnName, ExperimentLabels labels);

    /// <summary>All metrics of a scored view, by name.</summary>
    IReadOnlyDictionary<string, double> Evaluate(MLContext context, IDataView scored, string labelColumnName);

    /// <summary>What follows the trained model so that predictions look like the labels that were given; null for nothing.</summary>
    IEstimator<ITransformer>? Finish(MLContext context, DataViewSchema input, string labelColumnName);
}
