using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>A column of classes: keys of known count, usually with names.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Type">Keys from 1 to the number of classes.</param>
/// <param name="Annotations">The values behind the keys (KeyValues), if known.</param>
internal sealed record LabelColumn(string Name, KeyDataViewType Type, DataViewSchema.Annotations Annotations)
{
    public const string KeyValues = "KeyValues";
    public const string SlotNames = "SlotNames";
    public const string TrainingLabelValues = "TrainingLabelValues";
    public const string ScoreColumnKind = "ScoreColumnKind";
    public const string ScoreValueKind = "ScoreValueKind";

    /// <summary>Number of classes.</summary>
    public int Count => checked((int)Type.Count);

    /// <summary>The classes' names as their keys' values give them, text or not, or their numbers, counted from 1.</summary>
    public IReadOnlyList<string> ClassNames() => Names() ?? ValuesAsText() ?? [.. Enumerable.Range(1, Count).Select(number => $"{number}")];

    /// <exception cref="ArgumentException">There is no such column, or it holds no keys.</exception>
    public static LabelColumn Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw MissingColumn.Error(schema, name, "classes");
        return column.Type is KeyDataViewType key && key.RawType == typeof(uint)
            ? new(name, key, column.Annotations)
            : throw NoKey(name, column.Type);
    }

    /// <summary>The error for a column of another type.</summary>
    public static ArgumentException NoKey(string name, DataViewType type) =>
        new($"Column '{name}' is {type}; a column of classes must be Key<UInt32>: append MapValueToKey(\"{name}\") before.");

    /// <summary>Annotations of the predicted class: the values behind its keys.</summary>
    public DataViewSchema.Annotations PredictedLabelAnnotations()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(Annotations, kind => kind == KeyValues);
        return builder.ToAnnotations();
    }

    /// <summary>
    /// Annotations of the scores as ML.NET's own multiclass trainers give them: the classes' names, if they have any, and the kind of
    /// score.
    /// </summary>
    public DataViewSchema.Annotations ScoreAnnotations()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        if (Names() is { } names)
        {
            var type = new VectorDataViewType(TextDataViewType.Instance, names.Length);
            ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter = (ref VBuffer<ReadOnlyMemory<char>> value) =>
            {
                var editor = VBufferEditor.Create(ref value, names.Length);
                for (int i = 0; i < names.Length; i++) editor.Values[i] = names[i].AsMemory();
                value = editor.Commit();
            };
            builder.Add(SlotNames, type, getter);
            builder.Add(TrainingLabelValues, type, getter);
        }
        builder.AddPrimitiveValue(ScoreColumnKind, TextDataViewType.Instance, "MulticlassClassification".AsMemory());
        builder.AddPrimitiveValue(ScoreValueKind, TextDataViewType.Instance, "Score".AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>The names behind the keys, or null where they are not text.</summary>
    public string[]? Names()
    {
        if (Annotations.Schema.GetColumnOrNull(KeyValues) is not { Type: VectorDataViewType { ItemType: TextDataViewType } }) return null;
        VBuffer<ReadOnlyMemory<char>> values = default;
        Annotations.GetValue(KeyValues, ref values);
        return [.. values.DenseValues().Select(v => v.ToString())];
    }

    // The values behind the keys where they are of another type that ML.NET makes keys of, written alike everywhere.
    private string[]? ValuesAsText()
    {
        if (Annotations.Schema.GetColumnOrNull(KeyValues)?.Type is not VectorDataViewType { ItemType: var item }) return null;
        return item switch
        {
            BooleanDataViewType => AsText<bool>(),
            DateTimeDataViewType => AsText<DateTime>(),
            DateTimeOffsetDataViewType => AsText<DateTimeOffset>(),
            TimeSpanDataViewType => AsText<TimeSpan>(),
            NumberDataViewType => System.Type.GetTypeCode(item.RawType) switch
            {
                TypeCode.SByte => AsText<sbyte>(),
                TypeCode.Byte => AsText<byte>(),
                TypeCode.Int16 => AsText<short>(),
                TypeCode.UInt16 => AsText<ushort>(),
                TypeCode.Int32 => AsText<int>(),
                TypeCode.UInt32 => AsText<uint>(),
                TypeCode.Int64 => AsText<long>(),
                TypeCode.UInt64 => AsText<ulong>(),
                TypeCode.Single => AsText<float>(),
                TypeCode.Double => AsText<double>(),
                _ => null,
            },
            _ => null,
        };
    }

    private string[] AsText<T>() where T : struct
    {
        VBuffer<T> values = default;
        Annotations.GetValue(KeyValues, ref values);
        return [.. values.DenseValues().Select(v => string.Create(CultureInfo.InvariantCulture, $"{v}"))];
    }
}
