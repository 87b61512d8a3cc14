using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Embeddings;

/// <summary>
/// Adds the feature vectors of images as an encoder computes them. There is nothing to learn from data: fitting only checks the columns.
/// </summary>
/// <remarks>The encoder stays its caller's: it must live as long as the transformer and the data views that come of it.</remarks>
public sealed class ImageEmbeddingEstimator : IEstimator<ImageEmbeddingTransformer>
{
    private readonly MLContext context;
    private readonly VisionEncoder encoder;
    private readonly ImageEmbeddingOptions options;
    private readonly MaskTokenReader maskTokens;
    private readonly TurnedImages? turned;

    internal ImageEmbeddingEstimator(
        MLContext context, VisionEncoder encoder, ImageEmbeddingOptions options, MaskTokenReader? maskTokens = null, TurnedImages? turned = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (this.context, this.turned) = (context, turned);
        this.encoder = encoder;
        this.options = OptionsValidator.Validate(options).Copy();
        this.maskTokens = maskTokens ?? MaskTokenReaders.For(options.Masks);
        int largest = (int)(Array.MaxLength / (3L * encoder.ImageSize * encoder.ImageSize));
        if (options.BatchSize > largest)
            throw Wrong($"BatchSize is {options.BatchSize}; with images of {encoder.ImageSize} pixels it must be at most {largest}.");
        if (options.MaskColumnName is null) return;
        if (!encoder.Model.IsMaskGuided)
            throw Wrong($"MaskColumnName is \"{options.MaskColumnName}\"; the encoder has no mask-guided attention bias, so it must be null.");
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public ImageEmbeddingTransformer Fit(IDataView input) => new(context, encoder, options, maskTokens, turned, input.Schema);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _ = ImageColumn.Find(inputSchema, options.InputColumnName);
        if (options.MaskColumnName is { } masks) MaskColumn.Check(inputSchema, masks);
        var features = MlNetAccess.NewColumn(
            options.OutputColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(inputSchema.Where(c => c.Name != options.OutputColumnName).Append(features));
    }

    private static ArgumentException Wrong(string message) => new(message, nameof(options));
}
