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
        var embedding = await EmbedAsync(searchValue, cancellationToken).ConfigureAwait(false);
        var hits = await index.SearchAsync(embedding, checked(top + options.Skip), filter, cancellationToken).ConfigureAwait(false);
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

    private async Task<ReadOnlyMemory<float>> EmbedAsync(object value, CancellationToken cancel) => value switch
    {
        ReadOnlyMemory<float> embedding => embedding,
        float[] embedding => embedding,
        Embedding<float> embedding => embedding.Vector,
        DataContent image when generator is not null =>
            (await generator.GenerateAsync([image], cancellationToken: cancel).ConfigureAwait(false))[0].Vector,
        DataContent => throw new NotSupportedException("To search for an image, give AsVectorSearchable a generator that embeds it."),
        _ => throw new NotSupportedException($"A {value.GetType().Name} cannot be searched for; an embedding "
            + "(ReadOnlyMemory<float>, float[], Embedding<float>) or an image (DataContent) can."),
    };
}
