namespace MaskBias.MLNet.VectorSearch.Stores;

/// <summary>Where an index keeps its items. A write is on disk when it returns, all of it or nothing.</summary>
internal interface IIndexStore : IAsyncDisposable
{
    /// <summary>What errors call it.</summary>
    string Name { get; }

    /// <summary>Whether <see cref="SearchAsync"/> works: otherwise the embeddings are searched in memory.</summary>
    bool SearchesItself { get; }

    /// <summary>The model stored; a new store takes this one.</summary>
    Task<(string ModelId, int Dimensions)> EnsureModelAsync(string modelId, int dimensions, CancellationToken cancel);

    Task<long> CountAsync(CancellationToken cancel);

    Task UpsertAsync(IReadOnlyList<StoredItem> items, CancellationToken cancel);

    Task<int> RemoveAsync(IReadOnlyCollection<string> keys, CancellationToken cancel);

    Task ResetAsync(string modelId, int dimensions, IReadOnlyList<StoredItem> items, CancellationToken cancel);

    /// <summary>The items whose keys follow one, in the order of the keys, at most as many as asked for.</summary>
    /// <exception cref="InvalidDataException">An item has other dimensions.</exception>
    Task<IReadOnlyList<StoredItem>> ReadAfterAsync(string key, int count, int dimensions, CancellationToken cancel);

    /// <summary>The item of a key, or null.</summary>
    /// <exception cref="InvalidDataException">It has other dimensions.</exception>
    Task<IndexedImage?> FindAsync(string key, int dimensions, CancellationToken cancel);

    Task<IReadOnlyList<SearchHit>> SearchAsync(float[] unit, int count, IReadOnlyDictionary<string, string>? filter, CancellationToken cancel);
}
