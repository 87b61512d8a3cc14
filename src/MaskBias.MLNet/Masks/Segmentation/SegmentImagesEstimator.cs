using MaskBias.MLNet.Images;
using Microsoft.ML;

namespace MaskBias.MLNet.Masks.Segmentation;

/// <summary>Adds the segmentation masks of images. There is nothing to learn from data: fitting only checks the columns.</summary>
public sealed class SegmentImagesEstimator : IEstimator<SegmentImagesTransformer>
{
    private readonly SegmentImagesOptions options;
    private readonly Func<RgbImage, byte[]> segment;

    /// <param name="options">The columns.</param>
    /// <param name="segment">Makes an image's encoded mask set; called from several threads at once.</param>
    internal SegmentImagesEstimator(SegmentImagesOptions options, Func<RgbImage, byte[]> segment)
    {
        this.options = OptionsValidator.Validate(options).Copy();
        this.segment = segment;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public SegmentImagesTransformer Fit(IDataView input)
    {
        _ = ImageColumn.Find(input.Schema, options.InputColumnName);
        return new(options, segment);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _ = ImageColumn.Find(inputSchema, options.InputColumnName);
        return MaskColumn.Add(inputSchema, options.OutputColumnName);
    }
}
