namespace MaskBias.MLNet.Extensions;

/// <summary>What a classifier says of an image.</summary>
/// <param name="Label">The most probable class.</param>
/// <param name="Confidence">Its probability, in [0, 1].</param>
/// <param name="Probabilities">All classes with their probabilities, in the model's order.</param>
/// <param name="Features">The feature vector that was classified.</param>
public sealed record ImageClass(
    string Label, float Confidence, IReadOnlyList<KeyValuePair<string, float>> Probabilities, ReadOnlyMemory<float> Features);
