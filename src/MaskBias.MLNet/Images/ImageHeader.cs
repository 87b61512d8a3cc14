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
        ImageDecoder.CheckSize(codec.Info.Size, $"{place}: '{path}'");
        if (Math.Max(height, width) > MaskSet.MaxSide)
        {
            throw new ImageReadException(
                $"{place}: '{path}' is {width}x{height}; a side of an image with masks may have at most {MaskSet.MaxSide} pixels.");
        }
        return applyOrientation && ImageDecoder.IsTurned(codec.EncodedOrigin) ? (width, height) : (height, width);
    }
}
