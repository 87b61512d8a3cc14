using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Experiments;

/// <summary>The best trial and its model.</summary>
/// <remarks>An encoder that was given stays its caller's and must outlive the model; one that was fine-tuned is freed with it.</remarks>
public sealed class BestRun : IDisposable
{
    internal BestRun(ExperimentTrial trial, TransformerChain<ITransformer> model) => (Trial, Model) = (trial, model);

    /// <summary>The trial.</summary>
    public ExperimentTrial Trial { get; }

    /// <summary>
    /// From the image column to Score and, in classification, PredictedLabel, which holds what the label column held: texts or keys. It is
    /// saved like any other, with <c>ml.Model.Save(best.Model, data.Schema, "model.zip")</c>, and then loads without this library.
    /// </summary>
    public ITransformer Model { get; }

    /// <summary>Frees a fine-tuned encoder.</summary>
    public void Dispose() => (Model as IDisposable)?.Dispose();
}
