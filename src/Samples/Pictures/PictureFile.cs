using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>Makes PNGs.</summary>
internal static class PictureFile
{
    public static byte[] Png(SKSurface surface)
    {
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    public static void Write(string path, SKSurface surface) => WholeFile.Write(path, Png(surface));
}
