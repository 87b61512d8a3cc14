using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The rows of a data view that have a class and features that are finite numbers: others have nothing to learn from.</summary>
/// <param name="Rows">Features.</param>
/// <param name="Classes">The class of each row, from 0.</param>
/// <param name="Skipped">Rows left out because a feature was not a finite number.</param>
internal sealed record LabelledFeatures(IReadOnlyList<float[]> Rows, int[] Classes, int Skipped)
{
    public static LabelledFeatures Read(
        IDataView data, DataViewSchema.Column features, LabelColumn label, CancellationToken cancellation = default)
    {
        var classColumn = data.Schema[label.Name];
        var (rows, classes, skipped) = (new List<float[]>(), new List<int>(), 0);
        using var cursor = data.GetRowCursor([features, classColumn]);
        var readFeatures = cursor.GetGetter<VBuffer<float>>(features);
        var readLabel = cursor.GetGetter<uint>(classColumn);
        VBuffer<float> vector = default;
        uint key = 0;
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            readLabel(ref key);
            if (key == 0) continue;
            readFeatures(ref vector);
            float[] row = [.. vector.DenseValues()];
            if (!row.All(float.IsFinite))
            {
                skipped++;
                continue;
            }
            rows.Add(row);
            classes.Add((int)key - 1);
        }
        return new(rows, [.. classes], skipped);
    }
}
