namespace MaskBias.MLNet.Images;

/// <summary>
/// The geometry of ML.NET's <c>ResizingKind.IsoCrop</c> with a centred anchor: scale until the square is filled, cut the rest.
/// </summary>
public static class IsoCrop
{
    /// <summary>The part of an image that is seen after resizing it to a square, in pixels of the image.</summary>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    /// <param name="size">Side of the square in pixels, at least 1.</param>
    public static CropRegion Region(int width, int height, int size)
    {
        var (left, top, scaledWidth, scaledHeight) = Placement(width, height, size);
        double unitsX = (double)width / scaledWidth, unitsY = (double)height / scaledHeight;
        // Whole target pixels can leave the image by a fraction of one: there is nothing to see there.
        double x = Math.Max(0, -left * unitsX), y = Math.Max(0, -top * unitsY);
        return new(x, y, Math.Min(width - x, size * unitsX), Math.Min(height - y, size * unitsY));
    }

    /// <summary>Where the whole image is drawn relative to the square, in whole pixels rounded as ML.NET rounds them.</summary>
    internal static (int Left, int Top, int Width, int Height) Placement(int width, int height, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        float scaleX = (float)size / width, scaleY = (float)size / height;
        bool fillsByWidth = scaleY < scaleX;
        float scale = fillsByWidth ? scaleX : scaleY;
        int left = fillsByWidth ? 0 : (int)((size - width * scale) / 2);
        int top = fillsByWidth ? (int)((size - height * scale) / 2) : 0;
        return (left, top, Math.Max(1, (int)(width * scale)), Math.Max(1, (int)(height * scale)));
    }
}
