namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>A class with its probability.</summary>
internal sealed record Guess(string Label, float Confidence);
