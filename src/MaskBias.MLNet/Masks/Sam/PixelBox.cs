namespace MaskBias.MLNet.Masks.Sam;

/// <summary>A box in whole pixels of the image.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Right">Last column of a mask's box; the column after the last of a crop.</param>
/// <param name="Bottom">Last row of a mask's box; the row after the last of a crop.</param>
public readonly record struct PixelBox(int Left, int Top, int Right, int Bottom)
{
    /// <summary>Right − Left, as Segment Anything writes the width of a box.</summary>
    public int Width => Right - Left;

    /// <summary>Bottom − Top, as Segment Anything writes the height of a box.</summary>
    public int Height => Bottom - Top;
}
