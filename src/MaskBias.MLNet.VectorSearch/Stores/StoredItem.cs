using System.Text.Json;

namespace MaskBias.MLNet.VectorSearch.Stores;

/// <summary>An item with its embedding at length 1.</summary>
internal sealed record StoredItem(string Key, float[] Unit, IReadOnlyDictionary<string, string> Metadata)
{
    public static IReadOnlyDictionary<string, string> NoMetadata { get; } = new Dictionary<string, string>();

    /// <summary>Itself, where it has the dimensions of its index.</summary>
    public StoredItem Checked(int dimensions, string index) => Unit.Length == dimensions
        ? this
        : throw new InvalidDataException($"{index} is damaged: '{Key}' has {Unit.Length} dimensions.");

    public string MetadataJson => JsonSerializer.Serialize(Metadata);

    public static IReadOnlyDictionary<string, string> ReadMetadata(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? NoMetadata;
}
