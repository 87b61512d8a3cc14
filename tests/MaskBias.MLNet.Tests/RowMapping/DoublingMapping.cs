using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.RowMapping;

/// <summary>Adds "Doubled" = 2 · "Value", and counts what it is asked to do.</summary>
internal sealed class DoublingMapping(DataViewSchema input, int batchSize) : IRowMapping
{
    private int reads;

    public IReadOnlyList<DataViewSchema.Column> Inputs { get; } = [input["Value"]];

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; } = [new("Doubled", NumberDataViewType.Single)];

    public int BatchSize => batchSize;

    public int Reads => reads;

    public List<int> Batches { get; } = [];

    public IRowBatch CreateBatch(DataViewRow row, int capacity) => new Batch(this, row, capacity);

    private sealed class Batch(DoublingMapping owner, DataViewRow row, int capacity) : IRowBatch
    {
        private readonly ValueGetter<float> getter = row.GetGetter<float>(row.Schema["Value"]);
        private readonly float[] values = new float[capacity];
        private readonly float[] doubled = new float[capacity];

        public void Read(int slot)
        {
            getter(ref values[slot]);
            Interlocked.Increment(ref owner.reads);
        }

        public void Compute(int count)
        {
            lock (owner.Batches) owner.Batches.Add(count);
            for (int i = 0; i < count; i++) doubled[i] = 2 * values[i];
        }

        public Delegate Getter(int output, Func<int> slot) => (ValueGetter<float>)((ref float value) => value = doubled[slot()]);
    }
}
