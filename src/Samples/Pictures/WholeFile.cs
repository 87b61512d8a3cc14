namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>Reads and writes files as the library does: whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Reads a file that may have so many bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Most bytes that are read.</param>
    /// <param name="what">What it is, for the error, such as <c>a plan</c>.</param>
    /// <exception cref="InvalidDataException">It has more.</exception>
    public static byte[] Read(string path, long maxBytes, string what) => BoundedFile.Read(path, maxBytes, what);

    /// <summary>Finds out, before long work, whether a file can be written; makes its folder.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void CheckWritable(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        new FileStream(Path.Combine(folder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
    }

    public static void Write(string path, byte[] content) => Write(path, stream => stream.Write(content));

    public static void Write(string path, Action<Stream> write) => AtomicFile.Write(path, write);
}
