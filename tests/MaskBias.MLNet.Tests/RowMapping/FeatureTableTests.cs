using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.RowMapping;

public sealed class FeatureTableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_cursor_at_its_end_stays_there(int rows)
    {
        var label = new DataViewSchema.DetachedColumn("Label", NumberDataViewType.Single);
        float[][] features = [.. Enumerable.Range(0, rows).Select(i => new float[] { i, -i })];
        var table = new FeatureTable<float>(label, new float[rows], "Features", features, (0, 2));
        using var cursor = table.GetRowCursor(table.Schema);
        for (int i = 0; i < rows; i++) Assert.True(cursor.MoveNext());
        for (int i = 0; i < 2; i++)
        {
            Assert.False(cursor.MoveNext());
            Assert.Equal(-1, cursor.Position);
        }
    }
}
