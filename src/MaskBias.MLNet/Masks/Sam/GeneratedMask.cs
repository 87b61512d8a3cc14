namespace MaskBias.MLNet.Masks.Sam;

/// <summary>What is known of a mask that <see cref="SamMaskGenerator"/> found.</summary>
/// <param name="Area">Number of pixels covered.</param>
/// <param name="Box">Its first and last columns and rows; where the mask is empty, the first pixel of the crop.</param>
/// <param name="PredictedIou">How well the model expects it to fit: an intersection over union.</param>
/// <param name="StabilityScore">IoU of the masks at a higher and a lower threshold; NaN where both are empty.</param>
/// <param name="Point">The prompt that it answers.</param>
/// <param name="Crop">The part of the image in which it was found.</param>
public sealed record GeneratedMask(long Area, PixelBox Box, float PredictedIou, float StabilityScore, SamPoint Point, PixelBox Crop);
