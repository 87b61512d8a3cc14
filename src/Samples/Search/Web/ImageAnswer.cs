using MaskBias.MLNet.Samples.Search.Collection;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>An image as lists show it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Label">What a person said, or null.</param>
/// <param name="Class">What the classifier says of one without a label, or null where there is none.</param>
/// <param name="Confidence">The class's probability.</param>
/// <param name="Similarity">Cosine to the image that was searched for, in a list of similar ones.</param>
internal sealed record ImageAnswer(string Id, string? Label, string? Class, float? Confidence, float? Similarity)
{
    public static ImageAnswer Of(CollectionItem item, Guess? guess, float? similarity = null) =>
        new(item.Key, item.Label, guess?.Label, guess?.Confidence, similarity);
}
