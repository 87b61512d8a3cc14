namespace MaskBias.MLNet.VectorSearch;

/// <summary>An item of an index.</summary>
/// <param name="Key">Names the item, at most 512 characters.</param>
/// <param name="Embedding">Its embedding, as long as the index's dimensions; finite and not all zero.</param>
/// <param name="Metadata">What to filter by; null for none.</param>
public sealed record IndexedImage(string Key, ReadOnlyMemory<float> Embedding, IReadOnlyDictionary<string, string>? Metadata = null);
