namespace MaskBias.MLNet.Extensions;

/// <summary>What a request meets when the queue is full.</summary>
public enum QueueFullMode
{
    /// <summary>It waits for a place, first come, first served.</summary>
    Wait,

    /// <summary>It fails at once with <see cref="EmbeddingQueueFullException"/>, so that a web app can answer 503.</summary>
    Reject,
}
