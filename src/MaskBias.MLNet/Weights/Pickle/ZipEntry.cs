namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A file in a zip archive.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="IsDeflated">Whether it is compressed.</param>
/// <param name="StoredLength">Bytes that it takes in the archive.</param>
/// <param name="Length">Bytes that it holds.</param>
/// <param name="HeaderStart">Where its own header begins.</param>
internal sealed record ZipEntry(string Name, bool IsDeflated, long StoredLength, long Length, long HeaderStart);
