namespace MaskBias.MLNet.Masks.Sam.Generation;

/// <summary>A mask that may become one of an image's.</summary>
/// <param name="Mask">The mask alone, of the image's size.</param>
/// <param name="Box">Its first and last columns and rows in the image; where it is empty, the first pixel of the crop.</param>
/// <param name="PredictedIou">How well the model expects it to fit.</param>
/// <param name="StabilityScore">IoU at a higher and a lower threshold.</param>
/// <param name="Point">The prompt, in pixels of the image.</param>
/// <param name="Crop">Where it was found.</param>
internal sealed record MaskCandidate(MaskSet Mask, PixelBox Box, float PredictedIou, float StabilityScore, SamPoint Point, PixelBox Crop)
{
    public (float Left, float Top, float Right, float Bottom) FloatBox => (Box.Left, Box.Top, Box.Right, Box.Bottom);

    public GeneratedMask Record => new(Mask.Area(0), Box, PredictedIou, StabilityScore, Point, Crop);

    /// <summary>Reads a bitmap of a part of an image.</summary>
    /// <param name="bitmap">Bytes of the part, row by row; every value but 0 is covered.</param>
    /// <param name="part">Where the part is.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    public static (MaskSet Mask, PixelBox Box) Read(ReadOnlySpan<byte> bitmap, PixelBox part, int height, int width)
    {
        var builder = new RunBuilder(height, width);
        int left = int.MaxValue, top = int.MaxValue, right = -1, bottom = -1;
        for (int y = 0; y < part.Height; y++)
        {
            var row = bitmap.Slice(y * part.Width, part.Width);
            for (int x = 0; x < row.Length;)
            {
                int skipped = row[x..].IndexOfAnyExcept((byte)0);
                if (skipped < 0) break;
                x += skipped;
                int length = row[x..].IndexOf((byte)0);
                if (length < 0) length = row.Length - x;
                builder.Cover((part.Top + y) * width + part.Left + x, length);
                (left, right) = (Math.Min(left, part.Left + x), Math.Max(right, part.Left + x + length - 1));
                (top, bottom) = (Math.Min(top, part.Top + y), part.Top + y);
                x += length;
            }
        }
        builder.EndMask();
        return (builder.Build(), bottom < 0 ? new(part.Left, part.Top, part.Left, part.Top) : new(left, top, right, bottom));
    }
}
