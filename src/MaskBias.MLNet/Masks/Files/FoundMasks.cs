namespace MaskBias.MLNet.Masks.Files;

/// <summary>What was found for an image.</summary>
/// <param name="Masks">The masks; null where the file lists none and does not say the image's size.</param>
/// <param name="File">Where they are, for errors.</param>
internal readonly record struct FoundMasks(MaskSet? Masks, string File);
