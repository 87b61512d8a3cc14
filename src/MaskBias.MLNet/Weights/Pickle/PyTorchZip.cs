using System.Text;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// PyTorch's format since 1.6: a zip archive of <c>NAME/data.pkl</c> and the bytes of each storage as <c>NAME/data/KEY</c>.
/// </summary>
internal static class PyTorchZip
{
    private const string PickleFile = "data.pkl";

    /// <summary>Reads the pickle, and finds the storages that it names.</summary>
    public static (object? Root, StorageReader Storages, IReadOnlySet<string> Deflated) Read(FileStream stream, AllocationBudget budget)
    {
        var zip = new ZipDirectory(stream.SafeFileHandle, stream.Length, budget);
        var pickles = zip.Entries.Where(e => e.Name == PickleFile || e.Name.EndsWith("/" + PickleFile, StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1)
            throw new InvalidDataException($"it is a zip archive with {pickles.Count} files {PickleFile}; torch.save writes one");
        string folder = pickles[0].Name[..^PickleFile.Length];
        if (zip.Find(folder + "constants.pkl") is not null)
            throw new InvalidDataException("it is a TorchScript program, not weights; save the model's state_dict with torch.save");
        string text = zip.Find(folder + "byteorder") is { } order ? Encoding.ASCII.GetString(zip.ReadAll(order)) : "little";
        if (text.Trim() != "little")
            throw new InvalidDataException($"its byte order is {text[..Math.Min(20, text.Length)]}; only little is read");

        using var pickle = new MemoryStream(zip.ReadAll(pickles[0]), writable: false);
        var unpickler = new Unpickler(pickle, budget);
        object? root = unpickler.Load();
        var found = unpickler.Storages.ToDictionary(s => s.Key, s => Find(zip, folder, s.Value, stream.Length), StringComparer.Ordinal);
        var deflated = found.Where(f => f.Value.IsDeflated).Select(f => f.Key).ToHashSet(StringComparer.Ordinal);
        return (root, (key, position, part) => zip.Read(found[key], position, part), deflated);
    }

    private static ZipEntry Find(ZipDirectory zip, string folder, PickledStorage storage, long fileLength)
    {
        var entry = zip.Find($"{folder}data/{storage.Key}") ?? throw new InvalidDataException($"storage {storage.Key} is missing");
        UInt128 needed = (UInt128)(ulong)storage.WholeCount * (ulong)PyTorchTypes.SizeOf(storage.Type);
        if (needed > (ulong)entry.Length)
            throw new InvalidDataException($"storage {storage.Key} has {entry.Length} bytes; {storage.WholeCount} elements of"
                + $" {storage.Type} take {needed}");
        if (entry.Length > 2 * fileLength)
            throw new InvalidDataException($"storage {storage.Key} would inflate to {entry.Length} bytes, more than twice the"
                + $" file's {fileLength}");
        return entry;
    }
}
