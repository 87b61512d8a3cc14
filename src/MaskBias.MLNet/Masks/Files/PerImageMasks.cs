namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// A folder with an own file or folder for each image. The longest tail of the image's path that exists below the folder counts, with the
/// extension .json or .png, or none for a folder of binary masks; of several, in this order.
/// </summary>
internal sealed class PerImageMasks(string folder, MaskFileFormat format, int[] background) : IMaskSource
{
    // There two spellings are one file.
    private static readonly StringComparison Names =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    public string Description => $"'{folder}' has no "
        + format switch
        {
            MaskFileFormat.Sa1b => ".json",
            MaskFileFormat.LabelMap => ".png",
            MaskFileFormat.BinaryFolders => "folder of PNGs",
            _ => ".json, .png or folder of PNGs",
        }
        + " of that name";

    public FoundMasks? Find(string imagePath)
    {
        string image = Path.GetFullPath(imagePath);
        foreach (string tail in ImageNames.Tails(image))
        {
            string stem = Path.Combine(folder, Path.ChangeExtension(tail, null)), json = stem + ".json", png = stem + ".png";
            if (Takes(MaskFileFormat.Sa1b) && File.Exists(json)) return new(ReadSa1b(json), json);
            // The image may lie in the same folder and be a PNG: it is not its own mask.
            if (Takes(MaskFileFormat.LabelMap) && File.Exists(png) && !Path.GetFullPath(png).Equals(image, Names))
                return new(LabelMapFile.Read(png, background), png);
            if (Takes(MaskFileFormat.BinaryFolders) && Directory.Exists(stem) && BinaryMaskFolder.Read(stem) is { } masks) return new(masks, stem);
        }
        return null;
    }

    /// <summary>Reads a file; null where it lists no masks and does not say the image's size.</summary>
    public static MaskSet? ReadSa1b(string path)
    {
        var file = Sa1bFile.Read(path);
        return file.Height > 0 ? file.ToMaskSet() : null;
    }

    private bool Takes(MaskFileFormat kind) => format == MaskFileFormat.Auto || format == kind;
}
