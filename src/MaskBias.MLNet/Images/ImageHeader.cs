using MaskBias.MLNet.Masks;
using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Reads the size of an image file that masks belong to, without its pixels.</summary>
internal static class ImageHeader
{
    /// <exception cref="ImageReadException">The file is missing, no image that can be read, or too large for its masks.</exception>
    public static (int Height, int Width) ReadSize(string place, string path, bool applyOrientation)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new ImageReadException($"{place}: the path is empty.");
        if (!File.Exists(path)) throw new ImageReadException($"{place}: '{path}' does not exist.");
        using var codec = SKCodec.Create(path)
            ?? throw new ImageReadException($"{place}: '{path}' is not an image that can be read; formats are {ImageDecoder.Formats}.");
        var (height, width) = (codec.Info.Height, codec.Info.Width);
        if (SizeFault(height, width) is { } fault) throw new ImageReadException($"{place}: '{path}' is {width}x{height}; {fault}.");
        return applyOrientation && ImageDecoder.IsTurned(codec.EncodedOrigin) ? (width, height) : (height, width);
    }

    private static string? SizeFault(int height, int width)
    {
        if ((long)height * width > ImageDecoder.DefaultMaxPixels)
            return $"an image may have at most {ImageDecoder.DefaultMaxPixels} pixels";
        return Math.Max(height, width) > MaskSet.MaxSide
            ? $"a side of an image with masks may have at most {MaskSet.MaxSide} pixels" : null;
    }
}
