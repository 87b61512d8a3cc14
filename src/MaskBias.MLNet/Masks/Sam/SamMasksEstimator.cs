using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Segmentation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Adds the masks that Segment Anything finds in images. There is nothing to learn from data: fitting checks columns and checkpoint.
/// </summary>
public sealed class SamMasksEstimator : IEstimator<SamMasksTransformer>
{
    private readonly MLContext context;
    private readonly SamMasksOptions options;

    internal SamMasksEstimator(MLContext context, SamMasksOptions options)
    {
        this.context = context;
        this.options = OptionsValidator.Validate(options).Copy();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is damaged or not one of Segment Anything.</exception>
    /// <exception cref="InvalidOperationException">The device asked for is not there.</exception>
    public SamMasksTransformer Fit(IDataView input)
    {
        _ = ImageColumn.Find(input.Schema, options.InputColumnName);
        return new(options, new SamSegmenter(options, ((IHostEnvironment)context).Register(nameof(SamMasksEstimator))));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        new SegmentImagesEstimator(SamMasksTransformer.Columns(options), _ => []).GetOutputSchema(inputSchema);
}
