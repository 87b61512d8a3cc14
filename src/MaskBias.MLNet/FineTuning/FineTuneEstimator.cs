using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.FineTuning;

/// <summary>Trains an encoder and a linear head on labelled images; the encoder that is given stays as it is.</summary>
/// <remarks>
/// Rows whose class is missing are left out. A mask-guided encoder is fine-tuned without masks, where it is a plain one. The classifier owns
/// its encoder.
/// </remarks>
public sealed class FineTuneEstimator : IEstimator<ImageClassifier>
{
    private readonly IHostEnvironment environment;
    private readonly MLContext context = new(seed: 0);          // makes ML.NET's own transformers
    private readonly VisionEncoder encoder;
    private readonly FineTuneOptions options;

    internal FineTuneEstimator(IHostEnvironment environment, VisionEncoder encoder, FineTuneOptions options)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (this.environment, this.encoder, this.options) = (environment, encoder, OptionsValidator.Validate(options).Copy());
        options.CheckImageSize(encoder);
    }

    /// <summary>Trains.</summary>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or there are fewer than two classes.</exception>
    /// <exception cref="InvalidOperationException">The output folder holds a run already, or one that these options cannot go on with.</exception>
    /// <exception cref="InvalidDataException">The run in the output folder is damaged.</exception>
    /// <exception cref="IOException">The output folder cannot be written, or another process trains into it.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="Training.TrainingDivergedException">The loss is not a finite number.</exception>
    public ImageClassifier Fit(IDataView input)
    {
        var label = ClassLabels.Find(input.Schema, options.LabelColumnName);
        _ = ImageColumn.Find(input.Schema, options.ImageColumnName);
        using var run = new FineTuneRun(environment, context, options, label);
        var (tuned, linear, report) = run.Train(input, encoder);
        try
        {
            var embedding = new ImageEmbeddingOptions { InputColumnName = options.ImageColumnName };
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
        _ = ImageColumn.Find(inputSchema, options.ImageColumnName);
        return ClassifierShape.Add(inputSchema, options.LabelColumnName);
    }
}
