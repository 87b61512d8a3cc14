namespace MaskBias.MLNet;

/// <summary>Reads files that are not trusted to be as small as they should.</summary>
internal static class BoundedFile
{
    private const int FirstPart = 4096;

    /// <summary>Opens a file to read it. How much a pipe will give is not known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Most bytes that it may have.</param>
    /// <param name="what">What it is, for the error, such as <c>a mask file</c>.</param>
    /// <exception cref="InvalidDataException">It has more bytes.</exception>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static FileStream Open(string path, long maxBytes, string what)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        if (!stream.CanSeek || stream.Length <= maxBytes) return stream;
        using (stream) throw new InvalidDataException($"'{path}' has {stream.Length} bytes; {what} may have at most {maxBytes}.");
    }

    /// <summary>Reads a whole file, or all that comes out of a pipe.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] Read(string path, long maxBytes, string what)
    {
        using var stream = Open(path, maxBytes, what);
        byte[] bytes = new byte[stream.CanSeek ? stream.Length : 0];
        int count = 0;
        while (true)
        {
            count += stream.ReadAtLeast(bytes.AsSpan(count), bytes.Length - count, throwOnEndOfStream: false);
            if (count < bytes.Length) return bytes[..count];
            int next = stream.ReadByte();
            if (next < 0) return bytes;
            if (count == maxBytes) throw new InvalidDataException($"'{path}' has more than {maxBytes} bytes, the most that {what} may have.");
            Array.Resize(ref bytes, (int)Math.Min(Math.Max(2L * count, FirstPart), maxBytes));
            bytes[count++] = (byte)next;
        }
    }

    /// <summary>Reads a text, which is UTF-8 unless it begins with the mark of another encoding.</summary>
    /// <inheritdoc cref="Open"/>
    public static string ReadText(string path, long maxBytes, string what)
    {
        using var reader = new StreamReader(new MemoryStream(Read(path, maxBytes, what)));
        return reader.ReadToEnd();
    }
}
