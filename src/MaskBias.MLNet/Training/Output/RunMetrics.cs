namespace MaskBias.MLNet.Training.Output;

/// <summary>What a run wrote of one step.</summary>
/// <param name="Step">The step, counted from 1.</param>
/// <param name="Epoch">Its epoch, counted from 1.</param>
/// <param name="Values">Loss, learning rate and whatever else was measured, by the names of metrics.jsonl; NaN where it was not finite.</param>
public sealed record RunMetrics(long Step, int Epoch, IReadOnlyDictionary<string, double> Values);
