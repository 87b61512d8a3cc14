namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>Where the bytes of a storage are.</summary>
/// <param name="Start">Their beginning in the file.</param>
/// <param name="Length">Their number.</param>
/// <param name="Compressed">The zip entry, where they are compressed; else null.</param>
internal readonly record struct StorageData(long Start, long Length, ZipEntry? Compressed);
