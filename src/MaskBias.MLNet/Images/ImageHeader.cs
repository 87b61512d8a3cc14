using SkiaSharp;

namespace MaskBias.MLNet.Images;

/// <summary>Reads an image file's size without its pixels.</summary>
internal static class ImageHeader
{
    /// <exception cref="ImageReadException">The file is missing or no image that can be read.</exception>
    public static (int Height, int Width) ReadSize(string place, string path, bool applyOrientation)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new ImageReadException($"{place}: the path is empty.");
        if (!File.Exists(path)) throw new ImageReadException($"{place}: '{path}' does not exist.");
        using var codec = SKCodec.Create(path)
            ?? throw new ImageReadException($"{place}: '{path}' is not an image that can be read; formats are {ImageDecoder.Formats}.");
        bool isTurned = applyOrientation && ImageDecoder.IsTurned(codec.EncodedOrigin);
        return isTurned ? (codec.Info.Width, codec.Info.Height) : (codec.Info.Height, codec.Info.Width);
    }
}
