namespace MaskBias.MLNet.Masks.Sam;

/// <summary>A box in pixels of the image.</summary>
/// <param name="Left">Its first column.</param>
/// <param name="Top">Its first row.</param>
/// <param name="Right">Its last column, or its right edge in a prompt.</param>
/// <param name="Bottom">Its last row, or its bottom edge in a prompt.</param>
public readonly record struct SamBox(double Left, double Top, double Right, double Bottom);
