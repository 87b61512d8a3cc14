using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>
/// Reads a batch of rows ahead, keeping the active columns that pass through, so that the mapping is computed for the whole batch when
/// the first of its values is asked for.
/// </summary>
internal sealed class ReadAheadCursor : DataViewRowCursor
{
    private readonly RowBindings bindings;
    private readonly DataViewRowCursor input;
    private readonly ActiveColumns active;
    private readonly IRowBatch batch;
    private readonly ColumnBuffer?[] passedThrough;
    private readonly ValueGetter<DataViewRowId> readId;
    private readonly DataViewRowId[] ids;
    private readonly long[] positions;
    private readonly long[] batches;
    private int count;
    private int current = -1;
    private bool computed;
    private bool ended;
    private bool disposed;

    public ReadAheadCursor(RowBindings bindings, DataViewRowCursor input, ActiveColumns active)
    {
        (this.bindings, this.input, this.active) = (bindings, input, active);
        int capacity = bindings.Mapping.BatchSize;
        batch = bindings.Mapping.CreateBatch(input, capacity);
        passedThrough = [.. bindings.Input.Select(c => active.Output[c.Index] ? ColumnBuffer.Create(input, c, capacity) : null)];
        readId = input.GetIdGetter();
        (ids, positions, batches) = (new DataViewRowId[capacity], new long[capacity], new long[capacity]);
    }

    public override DataViewSchema Schema => bindings.Output;

    public override long Position => current >= 0 && current < count ? positions[current] : -1;

    public override long Batch => batches[CurrentRow()];

    public override bool MoveNext()
    {
        if (current + 1 < count)
        {
            current++;
            return true;
        }
        ReadAhead();
        return count > 0;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = ids[CurrentRow()];

    public override bool IsColumnActive(DataViewSchema.Column column) => active.Output[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        active.Check(column);
        var getter = bindings.IsPassedThrough(column)
            ? passedThrough[column.Index]!.Getter(CurrentRow)
            : batch.Getter(column.Index - bindings.Input.Count, ComputedRow);
        return ActiveColumns.Cast<TValue>(getter, column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = ended = true;
            count = 0;
            foreach (var buffer in passedThrough) buffer?.Dispose();
            input.Dispose();
        }
        base.Dispose(disposing);
    }

    private void ReadAhead()
    {
        (count, current, computed) = (0, 0, false);
        int read = 0;
        for (; read < ids.Length && !ended; read++)
        {
            if (!input.MoveNext())
            {
                ended = true;
                break;
            }
            positions[read] = input.Position;
            batches[read] = input.Batch;
            readId(ref ids[read]);
            foreach (var buffer in passedThrough) buffer?.Read(read);
            batch.Read(read);
        }
        count = read;       // only now: after an exception there is no current row
    }

    private int CurrentRow() => current >= 0 && current < count
        ? current
        : throw new InvalidOperationException("The cursor is not on a row: call MoveNext first, and stop when it returns false.");

    private int ComputedRow()
    {
        int row = CurrentRow();
        if (computed) return row;
        batch.Compute(count);
        computed = true;
        return row;
    }
}
