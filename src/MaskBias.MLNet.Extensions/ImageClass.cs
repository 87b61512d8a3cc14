namespace MaskBias.MLNet.Extensions;

/// <summary>What a classifier says of an image.</summary>
/// <param name="Label">The most probable class.</param>
/// <param name="Confidence">Its probability, in [0, 1].</param>
/// <param name="Probabilities">All classes with their probabilities, in the model's order.</param>
/// <param name="Features">The feature vector that was classified.</param>
public sealed record ImageClass(
    string Label, float Confidence, IReadOnlyList<KeyValuePair<string, float>> Probabilities, ReadOnlyMemory<float> Features)
{
    /// <summary>The id of the model that made the features, as <see cref="IImageEmbedder"/> gives it with an embedding.</summary>
    /// <value>Empty in one that no model made.</value>
    public string ModelId { get; init; } = "";
}
