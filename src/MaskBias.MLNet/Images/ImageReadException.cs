namespace MaskBias.MLNet.Images;

/// <summary>
/// An image could not be read or decoded. The message names the image (and row and column where it came from a data view) and says why.
/// </summary>
public sealed class ImageReadException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What could not be read, and why.</param>
    /// <param name="inner">The cause, where another exception reported it.</param>
    public ImageReadException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
