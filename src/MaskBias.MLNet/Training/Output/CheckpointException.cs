namespace MaskBias.MLNet.Training.Output;

/// <summary>A checkpoint cannot be written; those before it are as they were.</summary>
internal sealed class CheckpointException(string message, Exception inner) : IOException(message, inner);
