namespace MaskBias.MLNet.Images;

/// <summary>An image as training keeps it.</summary>
/// <param name="Pixels">The pixels, upright, reduced to a short side.</param>
/// <param name="Height">Of the whole image, upright.</param>
/// <param name="Width">Of the whole image, upright.</param>
/// <param name="IsStoredTurned">Whether its EXIF orientation turned or mirrored what the file holds.</param>
internal readonly record struct ReducedImage(RgbImage Pixels, int Height, int Width, bool IsStoredTurned);
