namespace MaskBias.MLNet.Images;

/// <summary>
/// A rectangle of an image, in pixels of that image with fractions, that becomes a view; optionally mirrored left to right afterwards.
/// </summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Top edge.</param>
/// <param name="Width">Width, above 0.</param>
/// <param name="Height">Height, above 0.</param>
/// <param name="Flip">Whether the view is mirrored.</param>
public readonly record struct CropRegion(double X, double Y, double Width, double Height, bool Flip = false);
