using System.Text.Json;

namespace MaskBias.MLNet.VectorSearch.Stores;

/// <summary>An item with its embedding at length 1.</summary>
internal sealed record StoredItem(string Key, float[] Unit, IReadOnlyDictionary<string, string> Metadata)
{
    public static IReadOnlyDictionary<string, string> NoMetadata { get; } = new Dictionary<string, string>();

    /// <summary>Itself, where it has the dimensions of its index, all of them numbers.</summary>
    public StoredItem Checked(int dimensions, string index)
    {
        if (Unit.Length != dimensions) throw new InvalidDataException($"{index} is damaged: '{Key}' has {Unit.Length} dimensions.");
        if (!Unit.All(float.IsFinite)) throw new InvalidDataException($"{index} is damaged: '{Key}' has an embedding that is not finite.");
        return this;
    }

    public string MetadataJson => JsonSerializer.Serialize(Metadata);

    public static IReadOnlyDictionary<string, string> ReadMetadata(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? NoMetadata;
}
