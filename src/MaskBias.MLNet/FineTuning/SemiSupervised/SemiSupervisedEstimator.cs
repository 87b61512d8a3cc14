using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.FineTuning.SemiSupervised;

/// <summary>
/// Trains an encoder and a linear head on images of which few have a class; the encoder that is given stays as it is.
/// </summary>
/// <remarks>
/// Rows whose class is missing are learned from as well: a moving average of the weights names their classes. The average is what is kept.
/// A mask-guided encoder is fine-tuned without masks, where it is a plain one. The classifier owns its encoder.
/// </remarks>
public sealed class SemiSupervisedEstimator : IEstimator<ImageClassifier>
{
    private readonly IHostEnvironment environment;
    private readonly MLContext context = new(seed: 0);          // makes ML.NET's own transformers
    private readonly VisionEncoder encoder;
    private readonly SemiSupervisedOptions options;

    internal SemiSupervisedEstimator(IHostEnvironment environment, VisionEncoder encoder, SemiSupervisedOptions options)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (this.environment, this.encoder, this.options) = (environment, encoder, OptionsValidator.Validate(options).Copy());
        options.Supervised.CheckImageSize(encoder);
    }

    /// <summary>Trains on the labelled rows, and then on all.</summary>
    /// <exception cref="ArgumentException">
    /// A column is missing or of the wrong type, there are fewer than two classes, or no row is without one.
    /// </exception>
    /// <exception cref="InvalidOperationException">The output folder holds a run already, or one that these options cannot go on with.</exception>
    /// <exception cref="InvalidDataException">The run in the output folder is damaged.</exception>
    /// <exception cref="IOException">The output folder cannot be written, or another process trains into it.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="Training.TrainingDivergedException">The loss is not a finite number.</exception>
    public ImageClassifier Fit(IDataView input)
    {
        var label = ClassLabels.Find(input.Schema, options.Supervised.LabelColumnName);
        _ = ImageColumn.Find(input.Schema, options.Supervised.ImageColumnName);
        using var run = new SemiSupervisedRun(environment, context, options, label);
        var (tuned, linear, report) = run.Train(input, encoder);
        try
        {
            var embedding = new ImageEmbeddingOptions { InputColumnName = options.Supervised.ImageColumnName };
            return new(context, tuned, embedding, linear, label, input, report, ownsEncoder: true);
        }
        catch
        {
            tuned.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _ = ImageColumn.Find(inputSchema, options.Supervised.ImageColumnName);
        return ClassifierShape.Add(inputSchema, options.Supervised.LabelColumnName);
    }
}
