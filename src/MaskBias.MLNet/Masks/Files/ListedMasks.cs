namespace MaskBias.MLNet.Masks.Files;

/// <summary>The masks of a file that tells of many images.</summary>
/// <param name="path">The file.</param>
/// <param name="find">Gives the image's number, or null.</param>
/// <param name="read">Reads the masks of a number.</param>
internal sealed class ListedMasks(string path, Func<string, long?> find, Func<long, MaskSet> read) : IMaskSource
{
    public string Description => $"'{path}' does not list it";

    public FoundMasks? Find(string imagePath) => find(imagePath) is { } id ? new FoundMasks(read(id), path) : null;
}
