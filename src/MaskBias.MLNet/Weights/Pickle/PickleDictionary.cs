namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A pickled dictionary in its order. Keys that are no strings, such as an optimizer's numbers, are kept as text.</summary>
internal sealed class PickleDictionary
{
    /// <summary>What an item takes at most, for the budget.</summary>
    public const int ItemSize = 160;

    private readonly OrderedDictionary<string, object?> items = new(StringComparer.Ordinal);

    public IEnumerable<KeyValuePair<string, object?>> Items => items;

    public int Count => items.Count;

    public object? this[string key] => items.GetValueOrDefault(key);

    public void Set(object? key, object? value) => items[Text(key)] = value;

    private string Text(object? key) => key switch
    {
        string text => text,
        long or double or bool => FormattableString.Invariant($"{key}"),
        null => "None",
        _ => $"<{items.Count}>",                    // a tuple or an object: of use to nobody as a tensor's name
    };
}
