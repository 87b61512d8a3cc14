using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Masks.Segmentation;

/// <summary>
/// Adds the encoded masks of images: computed row by row, and only where they are asked for. Safe under parallel cursors.
/// </summary>
public sealed class SegmentImagesTransformer : ITransformer
{
    private readonly SegmentImagesOptions options;
    private readonly Func<RgbImage, byte[]> segment;

    internal SegmentImagesTransformer(SegmentImagesOptions options, Func<RgbImage, byte[]> segment) =>
        (this.options, this.segment) = (options, segment);

    /// <summary>True: every row is computed by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new RowBindings(inputSchema, Map(inputSchema)).Output;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public IDataView Transform(IDataView input) => new MappedView(input, Map(input.Schema));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(inputSchema, Map(inputSchema));

    /// <summary>Segmentation cannot be part of a saved ML.NET model.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void Save(ModelSaveContext ctx) => throw new NotSupportedException(
        "Segmentation cannot be saved in an ML.NET model, where no transformer makes masks: save the data with its masks instead "
        + "(ml.Data.SaveAsBinary), and deploy a distilled encoder, which needs none.");

    private SegmentImagesMapping Map(DataViewSchema input) => new(input, options, segment);
}
