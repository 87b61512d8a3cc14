namespace MaskBias.MLNet.Masks.Files;

/// <summary>Reads whole mask files.</summary>
internal static class MaskFileBytes
{
    private const long MaxBytes = 1L << 30;

    /// <exception cref="InvalidDataException">The file is larger than 1 GiB.</exception>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    public static byte[] Read(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"The mask file '{path}' does not exist.", path);
        return BoundedFile.Read(path, MaxBytes, "a mask file");
    }
}
