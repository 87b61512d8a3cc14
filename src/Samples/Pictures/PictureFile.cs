using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>Makes PNGs, and writes files whole or not at all.</summary>
internal static class PictureFile
{
    public static byte[] Png(SKSurface surface)
    {
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    public static void Write(string path, SKSurface surface) => Write(path, Png(surface));

    public static void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string temporary = path + ".part";
        File.WriteAllBytes(temporary, content);
        File.Move(temporary, path, overwrite: true);
    }
}
