namespace MaskBias.MLNet.Masks.Files;

/// <summary>The smallest rectangle around a mask, in whole pixels; all 0 for an empty mask.</summary>
/// <param name="X">First column.</param>
/// <param name="Y">First row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public readonly record struct MaskBounds(int X, int Y, int Width, int Height);
