using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>Labelled features in memory as a data view: rows share their arrays with whoever computed them.</summary>
/// <typeparam name="TLabel">uint for keys, float for numbers.</typeparam>
internal sealed class FeatureTable<TLabel> : IDataView
{
    private readonly TLabel[] labels;
    private readonly float[][] features;
    private readonly (int Start, int Length) part;

    /// <param name="label">Name, type and annotations of the label.</param>
    /// <param name="labels">A label per row.</param>
    /// <param name="featureColumnName">Name of the column of features.</param>
    /// <param name="features">Features per row.</param>
    /// <param name="part">Which of a row's features are the column.</param>
    public FeatureTable(
        DataViewSchema.DetachedColumn label, TLabel[] labels, string featureColumnName, float[][] features, (int Start, int Length) part)
    {
        (this.labels, this.features, this.part) = (labels, features, part);
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(label.Name, label.Type, label.Annotations);
        builder.AddColumn(featureColumnName, new VectorDataViewType(NumberDataViewType.Single, part.Length));
        Schema = builder.ToSchema();
    }

    public bool CanShuffle => true;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => labels.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = new bool[Schema.Count];
        foreach (var column in columnsNeeded) active[column.Index] = true;
        int[]? order = null;
        if (rand is not null)
        {
            order = [.. Enumerable.Range(0, labels.Length)];
            rand.Shuffle(order);
        }
        return new Cursor(this, active, order);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(FeatureTable<TLabel> table, bool[] active, int[]? order) : DataViewRowCursor
    {
        private long position = -1;
        private bool ended;

        public override DataViewSchema Schema => table.Schema;

        public override long Position => position;

        public override long Batch => 0;

        private int Row => position < 0
            ? throw new InvalidOperationException("The cursor is not on a row: call MoveNext first, and stop when it returns false.")
            : order?[position] ?? (int)position;

        public override bool MoveNext()
        {
            ended |= position + 1 == table.labels.Length;
            position = ended ? -1 : position + 1;
            return !ended;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new((ulong)Row, 0);

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = column.Index == 0
                ? (ValueGetter<TLabel>)((ref TLabel value) => value = table.labels[Row])
                : (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
                {
                    var editor = VBufferEditor.Create(ref value, table.part.Length);
                    table.features[Row].AsSpan(table.part.Start, table.part.Length).CopyTo(editor.Values);
                    value = editor.Commit();
                });
            return ActiveColumns.Cast<TValue>(getter, column);
        }
    }
}
