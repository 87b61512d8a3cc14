using System.Runtime.CompilerServices;
using MaskBias.MLNet.VectorSearch.Stores;

namespace MaskBias.MLNet.VectorSearch;

/// <summary>
/// An index of image embeddings of one model, searched exactly by cosine similarity. The items are in a store, whose writes are on disk
/// before a call returns; the embeddings are also in memory, 4·D bytes each, where searches read them. Safe for many threads of one process.
/// </summary>
/// <remarks>
/// Other processes' writes to the same store are seen when the index is opened again. PostgreSQL with pgvector searches in the server,
/// and holds nothing in memory.
/// </remarks>
public sealed class ImageIndex : IAsyncDisposable
{
    private const int MaxKeyLength = 512, PageItems = 1000;

    private readonly IIndexStore store;
    private readonly EmbeddingTable? table;             // null where the server searches
    private readonly SemaphoreSlim writing = new(1);    // one writer: memory follows the store in the same order
    private bool isDisposed;

    private ImageIndex(IIndexStore store, EmbeddingTable? table, string modelId, int dimensions) =>
        (this.store, this.table, ModelId, Dimensions) = (store, table, modelId, dimensions);

    /// <summary>The model whose embeddings it holds.</summary>
    public string ModelId { get; private set; }

    /// <summary>Length D of each embedding.</summary>
    public int Dimensions { get; private set; }

    /// <summary>Opens or creates an index in a SQLite file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="modelId">The model, as the embedding service names it.</param>
    /// <param name="dimensions">Length of each embedding.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="ModelMismatchException">It holds embeddings of another model.</exception>
    /// <exception cref="InvalidDataException">The file is no index.</exception>
    public static Task<ImageIndex> OpenSqliteAsync(string path, string modelId, int dimensions, CancellationToken cancellationToken = default) =>
        OpenAsync(SqliteStore.Open(path), modelId, dimensions, rebuild: false, cancellationToken);

    /// <summary>Opens or creates an index in PostgreSQL: pgvector where the server has it, real[] columns otherwise.</summary>
    /// <param name="connectionString">Npgsql's.</param>
    /// <param name="table">Name of its tables: lower-case letters, digits and _.</param>
    /// <param name="modelId">The model, as the embedding service names it.</param>
    /// <param name="dimensions">Length of each embedding.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="ModelMismatchException">It holds embeddings of another model.</exception>
    public static async Task<ImageIndex> OpenPostgresAsync(
        string connectionString, string table, string modelId, int dimensions, CancellationToken cancellationToken = default) =>
        await OpenAsync(await PostgresStore.OpenAsync(connectionString, table, cancellationToken).ConfigureAwait(false),
            modelId, dimensions, rebuild: false, cancellationToken).ConfigureAwait(false);

    /// <summary>Empties a SQLite index of whatever model, for embeddings of this one.</summary>
    public static Task<ImageIndex> RebuildSqliteAsync(string path, string modelId, int dimensions, CancellationToken cancellationToken = default) =>
        OpenAsync(SqliteStore.Open(path), modelId, dimensions, rebuild: true, cancellationToken);

    /// <summary>Items in the index.</summary>
    public Task<long> CountAsync(CancellationToken cancellationToken = default) => store.CountAsync(cancellationToken);

    /// <summary>Adds items, or replaces those whose key is there already; all of them or none. They are on disk when it returns.</summary>
    /// <remarks>The embeddings must be of <see cref="ModelId"/>; the overload with a model id checks it.</remarks>
    /// <exception cref="ArgumentException">A key or an embedding cannot be stored; the message names it.</exception>
    public Task UpsertAsync(IReadOnlyCollection<IndexedImage> items, CancellationToken cancellationToken = default) =>
        UpsertIfOfModelAsync(items, modelId: null, cancellationToken);

    /// <summary>Adds items, or replaces those whose key is there already, if they are of the index's model.</summary>
    /// <param name="items">The items.</param>
    /// <param name="modelId">The model that made the embeddings, as it came with them: a served model may have been reloaded since.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <remarks>The index's model is the one that this process knows: a rebuild by another process is seen when the index is opened again.</remarks>
    /// <exception cref="ModelMismatchException">The index is of another model; nothing was written.</exception>
    /// <exception cref="ArgumentException">A key or an embedding cannot be stored; the message names it.</exception>
    public Task UpsertAsync(IReadOnlyCollection<IndexedImage> items, string modelId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(modelId);
        return UpsertIfOfModelAsync(items, modelId, cancellationToken);
    }

    /// <summary>Removes items; keys that are not there are passed over.</summary>
    /// <returns>How many were removed.</returns>
    public async Task<int> RemoveAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        int removed = 0;
        await WriteAsync(async () =>
        {
            removed = await store.RemoveAsync(keys, cancellationToken).ConfigureAwait(false);
            table?.Remove(keys);
        }, cancellationToken).ConfigureAwait(false);
        return removed;
    }

    /// <summary>Replaces all items, and the model if it is another: the old ones stay until the new ones are complete.</summary>
    public async Task RebuildAsync(
        IEnumerable<IndexedImage> items, string modelId, int dimensions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        CheckModel(modelId, dimensions);
        var rows = Rows(items, dimensions);
        await WriteAsync(async () =>
        {
            await store.ResetAsync(modelId, dimensions, rows, cancellationToken).ConfigureAwait(false);
            (ModelId, Dimensions) = (modelId, dimensions);
            table?.Reset(dimensions, rows);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds the items most similar to an embedding, most similar first; equal ones by key.</summary>
    /// <param name="embedding">What to look for, of the same model.</param>
    /// <param name="count">How many at most, 1 to 10,000.</param>
    /// <param name="filter">Metadata that a found item must have, all of it; null for any.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    public Task<IReadOnlyList<SearchHit>> SearchAsync(
        ReadOnlyMemory<float> embedding, int count = 10, IReadOnlyDictionary<string, string>? filter = null,
        CancellationToken cancellationToken = default) =>
        SearchIfOfModelAsync(embedding, modelId: null, count, filter, cancellationToken);

    /// <summary>Finds the items most similar to an embedding, if it is of the index's model.</summary>
    /// <param name="embedding">What to look for.</param>
    /// <param name="modelId">The model that made the embedding, as it came with it: a served model may have been reloaded since.</param>
    /// <param name="count">How many at most, 1 to 10,000.</param>
    /// <param name="filter">Metadata that a found item must have, all of it; null for any.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="ModelMismatchException">The index is of another model.</exception>
    public Task<IReadOnlyList<SearchHit>> SearchAsync(
        ReadOnlyMemory<float> embedding, string modelId, int count = 10, IReadOnlyDictionary<string, string>? filter = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(modelId);
        return SearchIfOfModelAsync(embedding, modelId, count, filter, cancellationToken);
    }

    /// <summary>The item of a key, with its embedding of length 1, or null.</summary>
    public Task<IndexedImage?> FindAsync(string key, CancellationToken cancellationToken = default) => store.FindAsync(key, Dimensions, cancellationToken);

    /// <summary>All items in the order of their keys, with embeddings of length 1; read page by page, so that others need not wait.</summary>
    public async IAsyncEnumerable<IndexedImage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var page in ReadPagesAsync(store, Dimensions, cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in page) yield return new(item.Key, item.Unit, item.Metadata);
        }
    }

    /// <summary>Searches as the public methods do; the model is not compared where its id is null.</summary>
    internal async Task<IReadOnlyList<SearchHit>> SearchIfOfModelAsync(
        ReadOnlyMemory<float> embedding, string? modelId, int count, IReadOnlyDictionary<string, string>? filter,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 10_000);
        CheckIsModel(modelId, embedding.Length);
        float[] query = Normalized(new IndexedImage("the query", embedding), Dimensions);
        var hits = table is null
            ? await store.SearchAsync(query, count, filter, cancellationToken).ConfigureAwait(false)
            : table.Search(query, count, filter, cancellationToken);
        CheckIsModel(modelId, embedding.Length);        // a rebuild meanwhile may have brought another's embeddings
        return hits;
    }

    /// <summary>Closes the store once the write in progress has ended; writes that waited for it throw <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await store.DisposeAsync().ConfigureAwait(false);
            isDisposed = true;
        }
        finally
        {
            writing.Release();          // and never disposed: those who wait would wait for ever
        }
    }

    private async Task UpsertIfOfModelAsync(IReadOnlyCollection<IndexedImage> items, string? modelId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(items);
        await WriteAsync(async () =>
        {
            CheckIsModel(modelId, items.FirstOrDefault()?.Embedding.Length ?? Dimensions);
            var rows = Rows(items, Dimensions);         // as they are now: a rebuild before this write may have changed them
            await store.UpsertAsync(rows, cancellationToken).ConfigureAwait(false);
            table?.Upsert(rows);
        }, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ImageIndex> OpenAsync(IIndexStore store, string modelId, int dimensions, bool rebuild, CancellationToken cancel)
    {
        try
        {
            CheckModel(modelId, dimensions);
            if (rebuild) await store.ResetAsync(modelId, dimensions, [], cancel).ConfigureAwait(false);
            var (storedId, storedDimensions) = await store.EnsureModelAsync(modelId, dimensions, cancel).ConfigureAwait(false);
            if (storedId != modelId || storedDimensions != dimensions)
                throw new ModelMismatchException(store.Name, storedId, storedDimensions, modelId, dimensions);
            EmbeddingTable? table = null;
            if (!store.SearchesItself)
            {
                table = new EmbeddingTable(dimensions);
                await foreach (var page in ReadPagesAsync(store, dimensions, cancel).ConfigureAwait(false)) table.Upsert(page);
            }
            return new ImageIndex(store, table, modelId, dimensions);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadPagesAsync(
        IIndexStore store, int dimensions, [EnumeratorCancellation] CancellationToken cancel)
    {
        string last = "";
        while (true)
        {
            var page = await store.ReadAfterAsync(last, PageItems, dimensions, cancel).ConfigureAwait(false);
            if (page.Count > 0) yield return page;
            if (page.Count < PageItems) yield break;
            last = page[^1].Key;
        }
    }

    private async Task WriteAsync(Func<Task> write, CancellationToken cancel)
    {
        await writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            await write().ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
    }

    private static void CheckModel(string modelId, int dimensions)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelId);
        if (dimensions is < 1 or > 16_000) throw new ArgumentOutOfRangeException(nameof(dimensions), dimensions, $"dimensions is {dimensions}; it must lie in [1, 16000].");
    }

    private void CheckIsModel(string? modelId, int dimensions)
    {
        if (modelId is not null && modelId != ModelId) throw new ModelMismatchException(store.Name, ModelId, Dimensions, modelId, dimensions);
    }

    private static StoredItem[] Rows(IEnumerable<IndexedImage> items, int dimensions) =>
        [.. items.Select(i => new StoredItem(i.Key, Normalized(i, dimensions), i.Metadata ?? StoredItem.NoMetadata))];

    /// <summary>The embedding at length 1, so that a cosine is a dot product.</summary>
    private static float[] Normalized(IndexedImage item, int dimensions)
    {
        if (string.IsNullOrEmpty(item.Key) || item.Key.Length > MaxKeyLength || item.Key.Contains('\0'))
            throw new ArgumentException($"A key has {item.Key?.Length ?? 0} characters; it must have 1 to {MaxKeyLength}, and no zero characters.");
        if (item.Embedding.Length != dimensions)
            throw new ArgumentException($"The embedding of '{item.Key}' has {item.Embedding.Length} dimensions; the index has {dimensions}.");
        double squares = 0;
        foreach (float value in item.Embedding.Span) squares += (double)value * value;
        if (!double.IsFinite(squares) || squares == 0)
            throw new ArgumentException($"The embedding of '{item.Key}' has length {Math.Sqrt(squares)}; it must be finite and above 0.");
        double scale = 1 / Math.Sqrt(squares);
        float[] unit = new float[dimensions];
        for (int i = 0; i < unit.Length; i++) unit[i] = (float)(item.Embedding.Span[i] * scale);
        return unit;
    }
}
