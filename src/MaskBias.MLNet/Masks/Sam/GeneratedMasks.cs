namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// The masks of an image that <see cref="SamMaskGenerator"/> found, in its order: the highest predicted IoU first in each crop.
/// </summary>
/// <param name="Masks">The masks.</param>
/// <param name="Records">What is known of each, in the same order.</param>
public sealed record GeneratedMasks(MaskSet Masks, IReadOnlyList<GeneratedMask> Records);
