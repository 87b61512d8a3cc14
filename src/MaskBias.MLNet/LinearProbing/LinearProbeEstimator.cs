using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Trains a linear layer on the features of an encoder, which stays as it is: how self-supervised encoders are measured.</summary>
/// <remarks>Rows whose class is missing are left out. The encoder stays its caller's and computes where it is.</remarks>
public sealed class LinearProbeEstimator : IEstimator<ImageClassifier>
{
    private const string FeatureColumnName = "__Probe";

    private readonly IHostEnvironment environment;
    private readonly MLContext context = new(seed: 0);          // makes ML.NET's own transformers
    private readonly VisionEncoder encoder;
    private readonly LinearProbeOptions options;

    internal LinearProbeEstimator(IHostEnvironment environment, VisionEncoder encoder, LinearProbeOptions options)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (this.environment, this.encoder) = (environment, encoder);
        this.options = OptionsValidator.Validate(options).Copy();
        if (options.MaskColumnName is not null && !encoder.Model.IsMaskGuided)
        {
            throw new ArgumentException(
                $"MaskColumnName is \"{options.MaskColumnName}\"; the encoder has no mask-guided attention bias, so it must be null.");
        }
    }

    /// <summary>Computes features and trains on them.</summary>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or there are fewer than two classes.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">No linear layer has a finite loss.</exception>
    public ImageClassifier Fit(IDataView input)
    {
        var label = ClassLabels.Find(input.Schema, options.LabelColumnName);
        _ = ImageColumn.Find(input.Schema, options.ImageColumnName);
        var run = new ProbeRun(environment, options, label, encoder.Device);
        var (linear, report) = options.Augmentation is null ? OnFeatures(run, input, label) : run.OnViews(input, encoder);
        return new(context, encoder, Embedding("Features"), linear, label, input, report, ownsEncoder: false);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _ = ImageColumn.Find(inputSchema, options.ImageColumnName);
        if (options.MaskColumnName is { } masks) MaskColumn.Check(inputSchema, masks);
        return ClassifierShape.Add(inputSchema, options.LabelColumnName);
    }

    // Upright, as encoders are trained. Unreadable images give NaN features, which are then left out as such.
    private (LinearClassifier Linear, ClassifierReport Report) OnFeatures(ProbeRun run, IDataView input, LabelColumn label)
    {
        var embedding = Embedding(FeatureColumnName);
        embedding.ApplyOrientation = true;
        if (options.OnUnreadableImage == UnreadableTrainingImage.Skip) embedding.OnUnreadableImage = UnreadableImage.MissingValue;
        var turned = new TurnedImages();
        using var embed = new ImageEmbeddingEstimator(context, encoder, embedding, turned: turned).Fit(input);
        return run.OnFeatures(
            () => embed.Transform(context.Data.FilterRowsByMissingValues(input, label.Name)), FeatureColumnName, encoder.Device, turned);
    }

    private ImageEmbeddingOptions Embedding(string output) => new()
    {
        InputColumnName = options.ImageColumnName, OutputColumnName = output, MaskColumnName = options.MaskColumnName, Masks = options.Masks,
        Blocks = options.Features,
    };
}
