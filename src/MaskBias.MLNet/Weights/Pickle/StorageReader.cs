namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>Fills a part of memory with the bytes of a storage, from a position on; safe from several threads at once.</summary>
/// <exception cref="InvalidDataException">They are not there, or damaged; the message does not name the file.</exception>
internal delegate void StorageReader(string key, long position, Span<byte> part);
