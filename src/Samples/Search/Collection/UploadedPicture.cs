using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>An upload as it is kept: decoded, turned upright, reduced, encoded anew. No uploaded byte is ever stored or sent on.</summary>
/// <param name="Picture">A JPEG of at most 1024 pixels along its longer side.</param>
/// <param name="Thumbnail">A JPEG of at most 256.</param>
/// <param name="Width">Of the picture.</param>
/// <param name="Height">Of the picture.</param>
internal sealed record UploadedPicture(byte[] Picture, byte[] Thumbnail, int Width, int Height)
{
    private const int PictureSide = 1024, ThumbnailSide = 256, MostAspect = 50;

    // What a file of each format begins with. Others are not given to a decoder at all.
    private static readonly (string Format, int At, byte[] Bytes)[] Signatures =
    [
        ("JPEG", 0, [0xFF, 0xD8, 0xFF]), ("PNG", 0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), ("GIF", 0, "GIF8"u8.ToArray()),
        ("BMP", 0, "BM"u8.ToArray()), ("WebP", 8, "WEBP"u8.ToArray()),
    ];

    /// <summary>Reads an upload.</summary>
    /// <exception cref="UploadException">It is of another format, damaged or too large.</exception>
    public static UploadedPicture Read(ReadOnlySpan<byte> upload, long maxPixels)
    {
        if (!IsKnown(upload))
        {
            string formats = string.Join(", ", Signatures.Select(s => s.Format));
            throw new UploadException(UploadFault.WrongType, $"The file is not an image of the formats {formats}.");
        }
        CheckSize(upload, maxPixels);
        try
        {
            var image = ImageDecoder.Decode(upload, "The file", applyOrientation: true, maxPixels).Reduced(PictureSide);
            return new(image.ToJpeg(), image.Reduced(ThumbnailSide).ToJpeg(80), image.Width, image.Height);
        }
        catch (ImageReadException e)
        {
            throw new UploadException(UploadFault.Damaged, e.Message);
        }
    }

    private static bool IsKnown(ReadOnlySpan<byte> upload)
    {
        foreach (var (_, at, bytes) in Signatures)
        {
            if (upload.Length > at && upload[at..].StartsWith(bytes)) return true;
        }
        return false;
    }

    private static void CheckSize(ReadOnlySpan<byte> upload, long maxPixels)
    {
        using var data = SKData.CreateCopy(upload);
        using var codec = SKCodec.Create(data);
        if (codec is null) return;                              // the decoder says what is wrong
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > maxPixels)
            throw new UploadException(UploadFault.TooLarge, $"The image is {width}x{height}; at most {maxPixels} pixels are taken.");
        if (Math.Max(width, height) > (long)MostAspect * Math.Min(width, height))
        {
            throw new UploadException(UploadFault.TooLarge,
                $"The image is {width}x{height}; the longer side may be at most {MostAspect} times the shorter.");
        }
    }
}
