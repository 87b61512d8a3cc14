using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>Passes rows on one by one and computes the mapping, if it is active at all, for a row whose value is asked for.</summary>
internal sealed class StreamingCursor(RowBindings bindings, DataViewRowCursor input, ActiveColumns active) : DataViewRowCursor
{
    private readonly RowValues values = new(bindings, input, active);

    public override DataViewSchema Schema => bindings.Output;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool MoveNext() => input.MoveNext();

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => values.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => values.GetGetter<TValue>(column);

    protected override void Dispose(bool disposing)
    {
        if (disposing) input.Dispose();
        base.Dispose(disposing);
    }
}
