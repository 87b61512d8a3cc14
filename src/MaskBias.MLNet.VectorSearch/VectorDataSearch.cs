using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace MaskBias.MLNet.VectorSearch;

/// <summary>Searches of Microsoft.Extensions.VectorData as searches of an index.</summary>
internal sealed class VectorDataSearch(ImageIndex index, IEmbeddingGenerator<DataContent, Embedding<float>>? generator)
    : IVectorSearchable<IndexedImage>
{
    public async IAsyncEnumerable<VectorSearchResult<IndexedImage>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<IndexedImage>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default) where TInput : notnull
    {
        options ??= new();
        var filter = options.Filter is { } condition ? MetadataFilter.Read(condition) : null;
        var (embedding, modelId) = await EmbedAsync(searchValue, cancellationToken).ConfigureAwait(false);
        var hits = await index.SearchIfOfModelAsync(embedding, modelId, checked(top + options.Skip), filter, cancellationToken).ConfigureAwait(false);
        double least = options.ScoreThreshold ?? double.NegativeInfinity;
        foreach (var hit in hits.Skip(options.Skip).TakeWhile(h => h.Similarity >= least))
        {
            var image = new IndexedImage(hit.Key, default, hit.Metadata);
            if (options.IncludeVectors)
            {
                // null where it was removed meanwhile
                if (await index.FindAsync(hit.Key, cancellationToken).ConfigureAwait(false) is not { } found) continue;
                image = found;
            }
            yield return new(image, hit.Similarity);
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        return serviceType.IsInstanceOfType(index) ? index : serviceType.IsInstanceOfType(this) ? this : null;
    }

    private static (ReadOnlyMemory<float> Vector, string? ModelId) Named(Embedding<float> embedding) => (embedding.Vector, embedding.ModelId);

    // The id of the model is null where the value does not say it.
    private async Task<(ReadOnlyMemory<float> Vector, string? ModelId)> EmbedAsync(object value, CancellationToken cancel) => value switch
    {
        ReadOnlyMemory<float> embedding => (embedding, null),
        float[] embedding => (embedding, null),
        Embedding<float> embedding => Named(embedding),
        DataContent image when generator is not null =>
            Named((await generator.GenerateAsync([image], cancellationToken: cancel).ConfigureAwait(false))[0]),
        DataContent => throw new NotSupportedException("To search for an image, give AsVectorSearchable a generator that embeds it."),
        _ => throw new NotSupportedException($"A {value.GetType().Name} cannot be searched for; an embedding "
            + "(ReadOnlyMemory<float>, float[], Embedding<float>) or an image (DataContent) can."),
    };
}
