using MaskBias.MLNet.Images;
using Microsoft.Win32.SafeHandles;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// Decoded images beyond the memory budget, in a temporary file that goes with the process. The system keeps in memory what it can. Safe from
/// several threads at once.
/// </summary>
/// <param name="folder">Where the file lies; null for the system's folder for temporary files.</param>
internal sealed class PixelSpill(string? folder = null) : IDisposable
{
    private readonly Lock gate = new();
    private SafeFileHandle? file;
    private string path = "";
    private long end;

    /// <summary>Bytes in the file.</summary>
    public long Length => Interlocked.Read(ref end);

    /// <summary>Writes an image and gives what reads it back.</summary>
    /// <exception cref="IOException">The file cannot be written, for instance because the disk is full.</exception>
    public Func<RgbImage> Add(RgbImage image)
    {
        long start;
        try
        {
            lock (gate)
            {
                file ??= Create();
                start = end;
                end += image.Pixels.Length;
            }
            RandomAccess.Write(file, image.Pixels, start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Decoded images beyond ImageCacheMegabytes go to {path}, which cannot be written: {e.Message} Raise "
                + "ImageCacheMegabytes, free disk space, or give paths instead of decoded images.", e);
        }
        return () => Read(start, image.Height, image.Width);
    }

    public void Dispose() => file?.Dispose();

    private RgbImage Read(long start, int height, int width)
    {
        byte[] pixels = new byte[height * width * 3];
        if (!Weights.FileBytes.TryRead(file!, start, pixels)) throw new IOException($"{path} has become shorter since it was written.");
        return new(height, width, pixels);
    }

    private SafeFileHandle Create()
    {
        path = Path.Combine(folder ?? Path.GetTempPath(), $"maskbias-{Path.GetRandomFileName()}.pixels");
        var opened = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows()) File.Delete(path);            // its name at once, the file with the last handle: also after a kill
        return opened;
    }
}
