using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Extensions;

/// <summary>Embeds images of any source. Safe for many threads; concurrent calls are computed together.</summary>
public interface IImageEmbedder
{
    /// <summary>Length of the embedding.</summary>
    int Dimensions { get; }

    /// <summary>Names the encoder by its content: embeddings of different ids must not be compared.</summary>
    string ModelId { get; }

    /// <summary>Embeds an image.</summary>
    /// <returns>The embedding and the id of the model that made it: a reload may have changed it.</returns>
    /// <exception cref="ImageReadException">The image is damaged, too large or of an unknown format.</exception>
    /// <exception cref="EmbeddingQueueFullException">The queue is full and requests are not to wait.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    Task<(float[] Features, string ModelId)> EmbedAsync(ImageInput image, CancellationToken cancellationToken = default);
}
