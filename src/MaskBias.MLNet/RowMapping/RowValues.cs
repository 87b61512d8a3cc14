using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The values of the current row of an input and of a mapping on it, computed when first asked for and once per row.</summary>
internal sealed class RowValues
{
    private readonly RowBindings bindings;
    private readonly DataViewRow input;
    private readonly ActiveColumns active;
    private readonly IRowBatch? batch;
    private long? computed;

    public RowValues(RowBindings bindings, DataViewRow input, ActiveColumns active)
    {
        (this.bindings, this.input, this.active) = (bindings, input, active);
        if (active.Computes) batch = bindings.Mapping.CreateBatch(input, capacity: 1);
    }

    public bool IsActive(DataViewSchema.Column column) => active.Output[column.Index];

    public ValueGetter<T> GetGetter<T>(DataViewSchema.Column column)
    {
        active.Check(column);
        return bindings.IsPassedThrough(column)
            ? input.GetGetter<T>(bindings.Input[column.Index])
            : ActiveColumns.Cast<T>(batch!.Getter(column.Index - bindings.Input.Count, CurrentSlot), column);
    }

    private int CurrentSlot()
    {
        if (computed == input.Position) return 0;
        computed = null;                          // should this row fail, it is not the last one's values that are seen
        batch!.Read(0);
        batch.Compute(1);
        computed = input.Position;
        return 0;
    }
}
