namespace MaskBias.MLNet.VectorSearch;

/// <summary>An item found.</summary>
/// <param name="Key">The item.</param>
/// <param name="Similarity">Cosine of the angle between its embedding and the one searched for, in [-1, 1].</param>
/// <param name="Metadata">Its metadata.</param>
public sealed record SearchHit(string Key, float Similarity, IReadOnlyDictionary<string, string> Metadata);
