using MaskBias.MLNet.Masks.Segmentation;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Adds the encoded masks that Segment Anything finds in images: computed row by row, only where they are asked for, and read where a store
/// has them. Safe under parallel cursors. Owns the model: dispose it when all rows are read.
/// </summary>
public sealed class SamMasksTransformer : ITransformer, IDisposable
{
    private readonly SamSegmenter segmenter;
    private readonly SegmentImagesTransformer rows;

    internal SamMasksTransformer(SamMasksOptions options, SamSegmenter segmenter) =>
        (this.segmenter, rows) = (segmenter, new(Columns(options), segmenter.Segment));

    /// <summary>True: every row is computed by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => rows.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of the wrong type.</exception>
    public IDataView Transform(IDataView input) => rows.Transform(input);

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => rows.GetRowToRowMapper(inputSchema);

    /// <summary>Segmentation cannot be part of a saved ML.NET model.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void Save(ModelSaveContext ctx) => rows.Save(ctx);

    /// <summary>Frees the model.</summary>
    public void Dispose() => segmenter.Dispose();

    internal static SegmentImagesOptions Columns(SamMasksOptions options) => new()
    {
        InputColumnName = options.InputColumnName, OutputColumnName = options.OutputColumnName,
        OnUnreadableImage = options.OnUnreadableImage, ApplyOrientation = options.ApplyOrientation,
    };
}
