namespace MaskBias.MLNet.Samples.Pictures;

/// <summary>Writes files whole or not at all, as the library does.</summary>
internal static class WholeFile
{
    public static void Write(string path, byte[] content) => Write(path, stream => stream.Write(content));

    public static void Write(string path, Action<Stream> write) => AtomicFile.Write(path, write);
}
