namespace MaskBias.MLNet.Images;

/// <summary>Where an image comes from: a file, encoded bytes, pixels that were decoded before, or nowhere.</summary>
/// <param name="Place">The row and column, for errors.</param>
/// <param name="Path">A file.</param>
/// <param name="Encoded">The bytes of an encoded image.</param>
/// <param name="Pixels">Gives pixels that were decoded before.</param>
/// <param name="FullSize">Size of the image that the decoded pixels were reduced from.</param>
/// <param name="Fault">Why there is no image.</param>
internal sealed record ImageSource(
    string Place, string? Path = null, byte[]? Encoded = null, Func<RgbImage>? Pixels = null, (int Height, int Width)? FullSize = null,
    ImageReadException? Fault = null)
{
    private const long MaxFileBytes = 1L << 30;

    /// <summary>Gives the pixels, upright, reduced to a short side, and the size of the whole image.</summary>
    /// <exception cref="ImageReadException">The image cannot be read; the message names the row, the column and the file.</exception>
    public ReducedImage Decode(int maxShortSide)
    {
        if (Fault is not null) throw Fault;
        if (Encoded is not null) return ImageDecoder.DecodeReduced(Encoded, $"{Place}: the encoded image", maxShortSide);
        if (Path is not null) return ImageDecoder.DecodeReduced(ReadFile(Place, Path), $"{Place}: '{Path}'", maxShortSide);
        var image = Pixels!();
        var (height, width) = FullSize ?? (image.Height, image.Width);
        return new(ImageReduction.ToShortSide(image, maxShortSide), height, width, IsStoredTurned: false);
    }

    /// <summary>Reads a whole image file.</summary>
    /// <exception cref="ImageReadException">The file is missing, too large or cannot be read.</exception>
    public static byte[] ReadFile(string place, string path)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new ImageReadException($"{place}: the path is empty.");
        try
        {
            return BoundedFile.Read(path, MaxFileBytes, "an image file");
        }
        catch (InvalidDataException e)
        {
            throw new ImageReadException($"{place}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageReadException($"{place}: '{path}' does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ImageReadException($"{place}: '{path}' cannot be read: {e.Message}", e);
        }
    }
}
