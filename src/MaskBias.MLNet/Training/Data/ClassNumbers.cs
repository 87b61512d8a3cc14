using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Training.Data;

/// <summary>Numbers for classes that are told apart and not predicted: keys as they are, texts in the order they come in.</summary>
internal static class ClassNumbers
{
    /// <summary>The number of every row's class, from 0; −1 where it is missing or empty.</summary>
    /// <exception cref="ArgumentException">The column is missing, or neither text nor a key.</exception>
    public static int[] Read(IDataView data, string columnName)
    {
        var column = data.Schema.GetColumnOrNull(columnName) ?? throw MissingColumn.Error(data.Schema, columnName, "classes");
        if (column.Type is KeyDataViewType) return ClassLabels.Read(data, LabelColumn.Find(data.Schema, columnName));
        if (column.Type is not TextDataViewType)
            throw new ArgumentException($"Column '{columnName}' is {column.Type}; a column of classes must be text or Key<UInt32>.");
        var (numbers, rows) = (new Dictionary<string, int>(StringComparer.Ordinal), new List<int>());
        foreach (string name in data.GetColumn<string>(column))
        {
            if (string.IsNullOrEmpty(name)) rows.Add(-1);
            else if (numbers.TryGetValue(name, out int number)) rows.Add(number);
            else rows.Add(numbers[name] = numbers.Count);
        }
        return [.. rows];
    }
}
