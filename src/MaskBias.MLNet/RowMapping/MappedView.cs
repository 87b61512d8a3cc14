using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>A data view with a mapping's columns added: computed lazily, in read-ahead batches, and only when asked for.</summary>
internal sealed class MappedView(IDataView source, IRowMapping mapping) : IDataView
{
    private readonly RowBindings bindings = new(source.Schema, mapping);

    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema => bindings.Output;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = bindings.Activate(columnsNeeded);
        return Wrap(source.GetRowCursor(active.Inputs, rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = bindings.Activate(columnsNeeded);
        return Array.ConvertAll(source.GetRowCursorSet(active.Inputs, n, rand), cursor => Wrap(cursor, active));
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor, ActiveColumns active) =>
        active.Computes && bindings.Mapping.BatchSize > 1
            ? new ReadAheadCursor(bindings, cursor, active)
            : new StreamingCursor(bindings, cursor, active);
}
