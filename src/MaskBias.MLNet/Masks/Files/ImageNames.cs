namespace MaskBias.MLNet.Masks.Files;

/// <summary>Finds what a file says of an image by the image's path: the longest tail of the path that the file lists decides.</summary>
internal sealed class ImageNames
{
    private readonly Dictionary<string, long> ids = new(StringComparer.Ordinal);

    /// <summary>Adds an image; of two with one name, the last counts.</summary>
    public void Add(string fileName, long id) => ids[fileName.Replace('\\', '/').TrimStart('/')] = id;

    /// <summary>Gives the image's number, or null where no tail of the path is listed.</summary>
    public long? Find(string imagePath)
    {
        foreach (string tail in Tails(imagePath))
        {
            if (ids.TryGetValue(tail, out long id)) return id;
        }
        return null;
    }

    /// <summary>The path below each of its folders, the longest first and the bare file name last, separated by '/'.</summary>
    public static IEnumerable<string> Tails(string path)
    {
        string rest = Path.GetFullPath(path).Replace('\\', '/');
        while (rest.IndexOf('/') is >= 0 and var slash)
        {
            rest = rest[(slash + 1)..];
            yield return rest;
        }
    }
}
