using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>The classes of labelled rows, from 0.</summary>
internal static class ClassLabels
{
    private const int MostClasses = 100_000;

    /// <summary>The class of every row, −1 where it is missing.</summary>
    public static int[] Read(IDataView data, LabelColumn label)
    {
        var column = data.Schema[label.Name];
        using var cursor = data.GetRowCursor([column]);
        var read = cursor.GetGetter<uint>(column);
        var classes = new List<int>();
        uint key = 0;
        while (cursor.MoveNext())
        {
            read(ref key);
            classes.Add((int)key - 1);
        }
        return [.. classes];
    }

    /// <summary>Finds the column of classes and checks that there are not more than a classifier can be trained for.</summary>
    /// <exception cref="ArgumentException">The column is missing, of another type, or of too many classes.</exception>
    public static LabelColumn Find(DataViewSchema schema, string name)
    {
        var label = LabelColumn.Find(schema, name);
        if (label.Type.Count is > 0 and <= MostClasses) return label;
        throw new ArgumentException($"Column '{name}' has keys of {label.Type.Count} classes; there may be 2 to {MostClasses}.");
    }

    /// <summary>Checks that there is something to tell apart.</summary>
    /// <exception cref="ArgumentException">No row has a class, or all have the same.</exception>
    public static void Check(IReadOnlyCollection<int> classes, LabelColumn label)
    {
        if (classes.Count == 0)
            throw new ArgumentException($"No row with a usable image has a class in column '{label.Name}'; a classifier needs two classes.");
        int first = classes.First();
        if (classes.All(c => c == first))
        {
            throw new ArgumentException($"All {classes.Count} labelled rows are of the class '{label.ClassNames()[first]}' in column '{label.Name}'; "
                + "a classifier needs at least two classes.");
        }
    }

    /// <summary>Weight of each class in the loss, [K], to the caller to dispose; null where all weigh the same.</summary>
    public static Tensor? Weights(ClassWeighting weighting, IReadOnlyCollection<int> classes, int count, Device device)
    {
        if (weighting == ClassWeighting.None) return null;
        int[] rows = new int[count];
        foreach (int c in classes) rows[c]++;
        int present = rows.Count(r => r > 0);
        return tensor([.. rows.Select(r => r == 0 ? 0 : classes.Count / ((float)present * r))], device: device);
    }
}
