namespace MaskBias.MLNet.Extensions;

/// <summary>A request was refused because the queue was full and <see cref="QueueFullMode.Reject"/> was chosen. Trying later helps.</summary>
public sealed class EmbeddingQueueFullException : Exception
{
    internal EmbeddingQueueFullException(int capacity) : base($"The queue is full: {capacity} images wait or are computed. Try again later.")
    {
    }
}
