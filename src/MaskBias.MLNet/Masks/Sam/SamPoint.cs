namespace MaskBias.MLNet.Masks.Sam;

/// <summary>A point of a prompt, in pixels of the image.</summary>
/// <param name="X">Column.</param>
/// <param name="Y">Row.</param>
/// <param name="IsForeground">Whether the mask is to cover the point, or to leave it out.</param>
public readonly record struct SamPoint(double X, double Y, bool IsForeground = true);
