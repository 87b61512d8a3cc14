namespace MaskBias.MLNet.Masks.Sam.Generation;

/// <summary>A part of an image that is segmented by itself.</summary>
/// <param name="Box">Where it is.</param>
/// <param name="Layer">0 for the whole image.</param>
internal readonly record struct Crop(PixelBox Box, int Layer)
{
    private const int EdgeTolerance = 20;

    /// <summary>
    /// The whole image, then layers of 2 by 2, 4 by 4, … crops that overlap, column by column. Lengths are rounded up, so that the last of
    /// many crops of a tiny image would begin beyond its edge: they are left out.
    /// </summary>
    public static List<Crop> Layers(int height, int width, int layers, double overlapRatio)
    {
        var crops = new List<Crop> { new(new(0, 0, width, height), 0) };
        for (int layer = 1; layer <= layers; layer++)
        {
            int side = 1 << layer, overlap = (int)(overlapRatio * Math.Min(height, width) * (2.0 / side));
            int cropWidth = Length(width, side, overlap), cropHeight = Length(height, side, overlap);
            for (int i = 0; i < side; i++)
            {
                for (int j = 0; j < side; j++)
                {
                    int left = (cropWidth - overlap) * i, top = (cropHeight - overlap) * j;
                    if (left < width && top < height) crops.Add(new(new(left, top, Math.Min(left + cropWidth, width), Math.Min(top + cropHeight, height)), layer));
                }
            }
        }
        return crops;
    }

    /// <summary>
    /// Whether a mask's box, in pixels of the image, ends within 20 pixels of an edge of the crop that is not one of the image: then the
    /// crop may have cut it off.
    /// </summary>
    public bool CutsOff(PixelBox mask, PixelBox image) =>
        Cuts(mask.Left, Box.Left, image.Left) || Cuts(mask.Top, Box.Top, image.Top)
        || Cuts(mask.Right, Box.Right, image.Right) || Cuts(mask.Bottom, Box.Bottom, image.Bottom);

    private static bool Cuts(int mask, int crop, int image) =>
        Math.Abs(mask - crop) <= EdgeTolerance && Math.Abs(mask - image) > EdgeTolerance;

    private static int Length(int length, int side, int overlap) => (int)Math.Ceiling((overlap * (side - 1.0) + length) / side);
}
