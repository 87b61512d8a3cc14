using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Extensions;

/// <summary>Classifies images with a saved model. Safe for many threads; concurrent calls are computed together.</summary>
public interface IImageClassifier
{
    /// <summary>The class names, in the model's order; empty where the model only embeds.</summary>
    IReadOnlyList<string> Classes { get; }

    /// <summary>Classifies an image.</summary>
    /// <exception cref="ImageReadException">The image is damaged, too large or of an unknown format.</exception>
    /// <exception cref="EmbeddingQueueFullException">The queue is full and requests are not to wait.</exception>
    /// <exception cref="InvalidOperationException">The model has no classifier.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    Task<ImageClass> ClassifyAsync(ImageInput image, CancellationToken cancellationToken = default);
}
