namespace MaskBias.MLNet.Masks.Files;

/// <summary>An SA-1B file by itself: the masks of the image that has its name, or the name that the file gives.</summary>
internal sealed class OneImagesMasks(string path, Sa1bFile file) : IMaskSource
{
    public string Description => $"'{path}' holds the masks of '{file.FileName ?? Path.GetFileName(path)}'";

    public FoundMasks? Find(string imagePath)
    {
        string stem = Path.GetFileNameWithoutExtension(imagePath);
        bool matches = stem == Path.GetFileNameWithoutExtension(path) || stem == Path.GetFileNameWithoutExtension(file.FileName);
        return matches ? new FoundMasks(file.Height > 0 ? file.ToMaskSet() : null, path) : null;
    }
}
