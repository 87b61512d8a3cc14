using MaskBias.MLNet.Samples.Search.Collection;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>An image as its own view shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Label">What a person said, or null.</param>
/// <param name="Width">Pixels of the picture.</param>
/// <param name="Height">Pixels of the picture.</param>
/// <param name="Classes">The most probable classes, the first one first; empty where there is no classifier.</param>
/// <param name="AttentionHeads">Maps that can be shown; 0 where there is no checkpoint to compute them.</param>
/// <param name="Similar">The most similar images.</param>
internal sealed record ImageDetails(
    string Id, string? Label, int Width, int Height, IReadOnlyList<Guess> Classes, int AttentionHeads, IReadOnlyList<ImageAnswer> Similar);
