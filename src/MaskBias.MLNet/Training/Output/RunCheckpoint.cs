namespace MaskBias.MLNet.Training.Output;

/// <summary>A checkpoint in a run's folder.</summary>
/// <param name="Step">Steps that had been done.</param>
/// <param name="EncoderPath">The folder of the encoder as it was then: what <see cref="Weights.EncoderCheckpoint.Load"/> reads.</param>
public sealed record RunCheckpoint(long Step, string EncoderPath);
