namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>Weights of the bias at a step, a row per layer; null where a layer has none.</summary>
internal sealed record BiasAtStep(long Step, float[]?[] Alpha, float[]?[] Beta);
