using System.Collections.Concurrent;
using System.Security.Cryptography;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.VectorSearch;

namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>The images: pictures on disk, embeddings and labels in the index. Safe for many threads.</summary>
internal sealed class ImageCollection : IAsyncDisposable
{
    private readonly SearchOptions options;
    private readonly IImageEmbedder embedder;
    private readonly IImageClassifier classifier;
    private readonly PictureFiles files;
    private readonly SemaphoreSlim decoding = new(Environment.ProcessorCount);     // a decoded image may have hundreds of megabytes
    private readonly SemaphoreSlim writing = new(1);
    private readonly ConcurrentDictionary<Guid, CollectionItem> items = new();
    private ImageIndex index = null!;

    private ImageCollection(SearchOptions options, IImageEmbedder embedder, IImageClassifier classifier)
    {
        (this.options, this.embedder, this.classifier) = (options, embedder, classifier);
        files = new(Path.Combine(options.DataFolder, "pictures"));
    }

    /// <summary>Opens or creates the collection; one of another model is embedded again.</summary>
    public static async Task<ImageCollection> OpenAsync(
        SearchOptions options, IImageEmbedder embedder, IImageClassifier classifier, Action<string> note, CancellationToken cancel)
    {
        var collection = new ImageCollection(options, embedder, classifier);
        string path = Path.Combine(options.DataFolder, "index.db");
        try
        {
            collection.index = await ImageIndex.OpenSqliteAsync(path, embedder.ModelId, embedder.Dimensions, cancel);
        }
        catch (ModelMismatchException e)
        {
            collection.index = await ImageIndex.OpenSqliteAsync(path, e.StoredModelId, e.StoredDimensions, cancel);
            await collection.EmbedAgainAsync(note, cancel);
        }
        await foreach (var stored in collection.index.ReadAllAsync(cancel))
        {
            if (CollectionItem.Read(stored.Key, stored.Metadata) is { } item) collection.items[item.Id] = item;
        }
        collection.files.DeleteAllBut(collection.items.Keys.ToHashSet());
        return collection;
    }

    public int Count => items.Count;

    /// <summary>The labels with the number of their images, most used first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Labels() =>
        [.. items.Values.Where(i => i.Label is not null).CountBy(i => i.Label!)
            .OrderByDescending(l => l.Value).ThenBy(l => l.Key, StringComparer.Ordinal)];

    /// <summary>Items, newest first.</summary>
    /// <param name="label">Of one label; "" for those without; null for all.</param>
    public IReadOnlyList<CollectionItem> List(string? label, int offset, int count) =>
        [.. items.Values.Where(i => label is null || (i.Label ?? "") == label)
            .OrderByDescending(i => i.Added).ThenBy(i => i.Id).Skip(offset).Take(count)];

    public CollectionItem? Find(Guid id) => items.GetValueOrDefault(id);

    public string PicturePath(Guid id) => files.PicturePath(id);

    public string ThumbnailPath(Guid id) => files.ThumbnailPath(id);

    /// <summary>Takes an upload. Its picture and embedding are on disk when this returns.</summary>
    /// <returns>The item, and whether it is new.</returns>
    /// <exception cref="UploadException">The upload is not taken.</exception>
    /// <exception cref="EmbeddingQueueFullException">There is too much to do.</exception>
    public async Task<(CollectionItem Item, bool IsNew)> AddAsync(ReadOnlyMemory<byte> upload, string? label, CancellationToken cancel)
    {
        var id = new Guid(SHA256.HashData(upload.Span).AsSpan(0, 16));
        if (items.TryGetValue(id, out var known)) return (known, false);
        CheckRoom();
        await decoding.WaitAsync(cancel);
        UploadedPicture picture;
        try
        {
            picture = await Task.Run(() => UploadedPicture.Read(upload.Span, options.MaxImagePixels), cancel);
        }
        finally
        {
            decoding.Release();
        }
        var (features, modelId, guess) = await EmbedAsync(picture.Picture, cancel);
        var item = new CollectionItem(id, picture.Width, picture.Height, DateTimeOffset.UtcNow, label, guess);
        return await WritingAsync(async () =>
        {
            if (items.TryGetValue(id, out var other)) return (other, false);
            CheckRoom();
            try
            {
                await files.WriteAsync(id, picture);
                await index.UpsertAsync([new(item.Key, features, item.Metadata())], modelId, CancellationToken.None);
            }
            catch
            {
                files.Delete(id);
                throw;
            }
            items[id] = item;
            return (item, true);
        }, cancel);
    }

    /// <summary>Gives an item a label, or takes it away.</summary>
    /// <returns>The item as it is now, or null where it is gone.</returns>
    public Task<CollectionItem?> LabelAsync(Guid id, string? label, CancellationToken cancel) => WritingAsync(async () =>
    {
        if (!items.TryGetValue(id, out var item) || await index.FindAsync(item.Key, CancellationToken.None) is not { } stored) return null;
        item = item with { Label = label };
        await index.UpsertAsync([stored with { Metadata = item.Metadata() }], CancellationToken.None);
        return items[id] = item;
    }, cancel);

    /// <summary>Removes an item and its picture.</summary>
    /// <returns>Whether it was there.</returns>
    public Task<bool> RemoveAsync(Guid id, CancellationToken cancel) => WritingAsync(async () =>
    {
        if (!items.TryGetValue(id, out var item)) return false;
        await index.RemoveAsync([item.Key], CancellationToken.None);
        items.TryRemove(id, out _);
        files.Delete(id);
        return true;
    }, cancel);

    /// <summary>The items most similar to one, itself left out; null where that is gone.</summary>
    public async Task<IReadOnlyList<(CollectionItem Item, float Similarity)>?> SimilarAsync(Guid id, int count, CancellationToken cancel)
    {
        if (await EmbeddingAsync(id, cancel) is not { } embedding) return null;
        var hits = await index.SearchAsync(embedding, count + 1, cancellationToken: cancel);
        return [.. hits.Select(h => (Item: Guid.TryParseExact(h.Key, "N", out var key) ? Find(key) : null, h.Similarity))
            .Where(h => h.Item is not null && h.Item.Id != id).Take(count).Select(h => (h.Item!, h.Similarity))];
    }

    /// <summary>The embedding of an item, at length 1, or null where it is gone.</summary>
    public async Task<ReadOnlyMemory<float>?> EmbeddingAsync(Guid id, CancellationToken cancel) =>
        items.ContainsKey(id) ? (await index.FindAsync(id.ToString("N"), cancel))?.Embedding : null;

    /// <summary>The embeddings of all items that have a label.</summary>
    public async Task<List<(string Label, float[] Features)>> LabelledAsync(CancellationToken cancel)
    {
        var labelled = new List<(string, float[])>();
        await foreach (var stored in index.ReadAllAsync(cancel))
        {
            if (CollectionItem.Read(stored.Key, stored.Metadata)?.Label is { } label) labelled.Add((label, stored.Embedding.ToArray()));
        }
        return labelled;
    }

    public async ValueTask DisposeAsync()
    {
        await writing.WaitAsync();
        await index.DisposeAsync();
        writing.Dispose();
        decoding.Dispose();
    }

    private async Task<(ReadOnlyMemory<float> Features, string ModelId, Guess? Class)> EmbedAsync(byte[] picture, CancellationToken cancel)
    {
        var input = ImageInput.FromBytes(picture);
        if (classifier.Classes.Count == 0)
        {
            var (features, modelId) = await embedder.EmbedAsync(input, cancel);
            return (features, modelId, null);
        }
        var answer = await classifier.ClassifyAsync(input, cancel);
        return (answer.Features, answer.ModelId, new(answer.Label, answer.Confidence));
    }

    private async Task EmbedAgainAsync(Action<string> note, CancellationToken cancel)
    {
        note($"The index is of another model; embedding {await index.CountAsync(cancel)} pictures again.");
        var embedded = new List<IndexedImage>();
        await foreach (var stored in index.ReadAllAsync(cancel))
        {
            if (CollectionItem.Read(stored.Key, stored.Metadata) is not { } item || !File.Exists(PicturePath(item.Id))) continue;
            var (features, _, guess) = await EmbedAsync(await File.ReadAllBytesAsync(PicturePath(item.Id), cancel), cancel);
            embedded.Add(new(item.Key, features, (item with { ModelClass = guess }).Metadata()));
        }
        await index.RebuildAsync(embedded, embedder.ModelId, embedder.Dimensions, cancel);
    }

    private void CheckRoom()
    {
        if (items.Count >= options.MaxImages)
            throw new UploadException(UploadFault.Full, $"The collection is full: it holds {options.MaxImages} images. Remove some first.");
    }

    /// <summary>One write at a time; once begun it is not cancelled, so that files, index and memory agree.</summary>
    private async Task<T> WritingAsync<T>(Func<Task<T>> write, CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            return await write();
        }
        finally
        {
            writing.Release();
        }
    }
}
