using MaskBias.MLNet.Native;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training.Data;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Trains a linear layer on a column of features as a linear probe does; the model is ML.NET's own.</summary>
/// <remarks>Rows whose class is missing, or with features that are not finite, are left out.</remarks>
public sealed class FeatureProbeEstimator : IEstimator<MulticlassPredictionTransformer<MaximumEntropyModelParameters>>
{
    private readonly IHostEnvironment environment;
    private readonly LinearProbeOptions options;

    internal FeatureProbeEstimator(IHostEnvironment environment, LinearProbeOptions options)
    {
        (this.environment, this.options) = (environment, OptionsValidator.Validate(options).Copy());
        TorchRuntime.EnsureLoaded(nameof(FeatureProbeEstimator));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or there are fewer than two classes.</exception>
    public MulticlassPredictionTransformer<MaximumEntropyModelParameters> Fit(IDataView input)
    {
        var label = ClassLabels.Find(input.Schema, options.LabelColumnName);
        var (linear, _) = new ProbeRun(environment, options, label, CPU).OnFeatures(() => input, options.FeatureColumnName, CPU);
        return linear.ToTransformer(environment, input.Schema, options.FeatureColumnName, label);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ClassifierShape.CheckFeatures(inputSchema, options.FeatureColumnName);
        return ClassifierShape.Add(inputSchema, options.LabelColumnName);
    }
}
