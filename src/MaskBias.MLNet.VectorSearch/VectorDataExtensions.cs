using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace MaskBias.MLNet.VectorSearch;

/// <summary>Offers an index to code that searches through Microsoft.Extensions.VectorData.</summary>
public static class VectorDataExtensions
{
    /// <summary>
    /// The index as an <see cref="IVectorSearchable{TRecord}"/>. Values to search for are embeddings
    /// (<see cref="ReadOnlyMemory{T}"/> of Single, an array, or <see cref="Embedding{T}"/>) and, with a generator, images
    /// (<see cref="DataContent"/>); scores are cosines.
    /// </summary>
    /// <param name="index">The index; it stays the caller's.</param>
    /// <param name="generator">Embeds images, with the index's own model; null for none.</param>
    /// <remarks>
    /// A filter compares metadata: <c>image => image.Metadata!["shop"] == "north"</c>, several joined by <c>&amp;&amp;</c>; on the right stands
    /// whatever text does not depend on the image, as <c>request.Shop</c>. The rest of those
    /// abstractions, collections that create themselves for records of any type, does not fit: an index has one kind of record and
    /// belongs to one model. An embedding that names another (<see cref="Embedding.ModelId"/>), given or of the generator, is refused with
    /// <see cref="ModelMismatchException"/>.
    /// </remarks>
    public static IVectorSearchable<IndexedImage> AsVectorSearchable(
        this ImageIndex index, IEmbeddingGenerator<DataContent, Embedding<float>>? generator = null)
    {
        ArgumentNullException.ThrowIfNull(index);
        return new VectorDataSearch(index, generator);
    }
}
