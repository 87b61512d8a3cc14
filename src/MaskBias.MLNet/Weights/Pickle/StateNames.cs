using System.Globalization;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// Names what nested dictionaries, lists and namespaces hold: tensors, as <c>teacher.backbone.cls_token</c>, and the texts and numbers of
/// dictionaries, as <c>args.patch_size</c>.
/// </summary>
internal sealed class StateNames(AllocationBudget budget)
{
    private const int MaxDepth = 32, MaxText = 1000, EntrySize = 400;

    /// <summary>The tensors in their order.</summary>
    public OrderedDictionary<string, PickledTensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>The texts and numbers.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>Names everything in a value.</summary>
    /// <exception cref="InvalidDataException">Two tensors have one name, or the values are nested without end.</exception>
    public void Add(object? value, string name = "", int depth = 0)
    {
        budget.Charge(16);
        if (depth > MaxDepth)
            throw new InvalidDataException($"its values are nested more than {MaxDepth} deep, from"
                + $" {name[..Math.Min(80, name.Length)]}… on");
        switch (value)
        {
            case PickledTensor tensor:
                budget.Charge(EntrySize);
                if (!Tensors.TryAdd(name, tensor)) throw new InvalidDataException($"tensor {name} appears twice");
                break;
            case PickleNamespace space: AddItems(space.Values, name, depth); break;
            case PickleDictionary dictionary: AddItems(dictionary, name, depth); break;
            case List<object?> list: AddTensors(list, name, depth); break;
            case object?[] tuple: AddTensors(tuple, name, depth); break;
        }
    }

    private void AddItems(PickleDictionary dictionary, string name, int depth)
    {
        foreach (var (key, value) in dictionary.Items)
        {
            string full = Join(name, key);
            if (value is string { Length: <= MaxText } or long or double or bool)
            {
                budget.Charge(EntrySize);
                Texts.TryAdd(full, Convert.ToString(value, CultureInfo.InvariantCulture)!);
            }
            else Add(value, full, depth + 1);
        }
    }

    private void AddTensors(IReadOnlyList<object?> items, string name, int depth)
    {
        budget.Charge(16L * items.Count);
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i] is PickledTensor or PickleDictionary or PickleNamespace or List<object?> or object?[])
                Add(items[i], Join(name, i.ToString(CultureInfo.InvariantCulture)), depth + 1);
        }
    }

    private string Join(string name, string key)
    {
        budget.Charge(64 + 2L * (name.Length + key.Length));
        return name.Length == 0 ? key : $"{name}.{key}";
    }
}
