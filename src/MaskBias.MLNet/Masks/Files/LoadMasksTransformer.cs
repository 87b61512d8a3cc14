using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Adds the stored masks of images: read row by row, and only where they are asked for. Safe under parallel cursors.</summary>
public sealed class LoadMasksTransformer : ITransformer
{
    private readonly LoadMasksOptions options;
    private readonly IMaskSource source;

    internal LoadMasksTransformer(LoadMasksOptions options, IMaskSource source) => (this.options, this.source) = (options, source);

    /// <summary>True: every row is computed by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new RowBindings(inputSchema, Map(inputSchema)).Output;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or no text.</exception>
    public IDataView Transform(IDataView input) => new MappedView(input, Map(input.Schema));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(inputSchema, Map(inputSchema));

    /// <summary>Stored masks cannot be part of a saved ML.NET model.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void Save(ModelSaveContext ctx) => throw new NotSupportedException(
        "Stored masks cannot be saved in an ML.NET model, where no transformer reads masks: save the data with its masks instead "
        + "(ml.Data.SaveAsBinary), and deploy a distilled encoder, which needs none.");

    private LoadMasksMapping Map(DataViewSchema input) => new(input, options, source);
}
