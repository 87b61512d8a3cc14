using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>A computation that adds columns to each row, bound to one input schema. Safe for use by several cursors at once.</summary>
internal interface IRowMapping
{
    /// <summary>Columns of the input schema that the computation reads.</summary>
    IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    /// <summary>Columns that it adds.</summary>
    IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; }

    /// <summary>Rows worth computing together; 1 when a batch is no faster.</summary>
    int BatchSize { get; }

    /// <summary>Prepares the computation for one cursor or row.</summary>
    /// <param name="input">Gives the values; <see cref="Inputs"/> are active in it.</param>
    /// <param name="capacity">Rows that the batch must hold.</param>
    IRowBatch CreateBatch(DataViewRow input, int capacity);
}
