namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Where the masks of a column of images stand.</summary>
/// <param name="Images">Images done.</param>
/// <param name="FromStore">Those of them whose masks were in the store.</param>
/// <param name="Masks">Masks of the images done.</param>
/// <param name="Current">The image that is computed now, or null between images.</param>
/// <param name="Elapsed">Time since the first image.</param>
public sealed record SamMasksProgress(long Images, long FromStore, long Masks, SamGenerationProgress? Current, TimeSpan Elapsed);
