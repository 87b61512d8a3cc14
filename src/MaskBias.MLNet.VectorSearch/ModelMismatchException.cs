namespace MaskBias.MLNet.VectorSearch;

/// <summary>
/// An index holds embeddings of another model than it was opened, searched or written for: distances between the two would mean nothing.
/// </summary>
public sealed class ModelMismatchException : Exception
{
    internal ModelMismatchException(string index, string storedModel, int storedDimensions, string model, int dimensions)
        : base($"{index} holds embeddings of model '{storedModel}' ({storedDimensions} dimensions), not of '{model}' ({dimensions}). "
            + "Use it with that model, or rebuild it: embed the images again and call RebuildAsync.") =>
        (StoredModelId, StoredDimensions) = (storedModel, storedDimensions);

    /// <summary>The model whose embeddings it holds.</summary>
    public string StoredModelId { get; }

    /// <summary>Length of those.</summary>
    public int StoredDimensions { get; }
}
