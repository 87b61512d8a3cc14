namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>An object that only holds named values, such as the arguments that a script was called with.</summary>
/// <param name="Type">Its type in Python.</param>
internal sealed record PickleNamespace(string Type)
{
    public PickleDictionary Values { get; } = new();
}
