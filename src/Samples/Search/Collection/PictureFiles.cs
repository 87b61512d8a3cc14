namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>The pictures on disk. Every path is made of the folder and an id that the app made; nothing else is ever part of one.</summary>
internal sealed class PictureFiles
{
    private readonly string folder;

    public PictureFiles(string folder) => this.folder = Directory.CreateDirectory(Path.GetFullPath(folder)).FullName;

    public string PicturePath(Guid id) => Path.Combine(folder, $"{id:N}.jpg");

    public string ThumbnailPath(Guid id) => Path.Combine(folder, $"{id:N}.small.jpg");

    public async Task WriteAsync(Guid id, UploadedPicture upload)
    {
        await WriteAsync(ThumbnailPath(id), upload.Thumbnail);
        await WriteAsync(PicturePath(id), upload.Picture);
    }

    public void Delete(Guid id)
    {
        File.Delete(PicturePath(id));
        File.Delete(ThumbnailPath(id));
    }

    /// <summary>Removes what belongs to no item: a process that is killed leaves at most files of the items that it was adding.</summary>
    public void DeleteAllBut(IReadOnlySet<Guid> ids)
    {
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            string name = Path.GetFileName(path);
            if (!Guid.TryParseExact(name.Split('.')[0], "N", out var id)) continue;         // not one of ours
            if (!ids.Contains(id) || name.EndsWith(".tmp", StringComparison.Ordinal)) File.Delete(path);
        }
    }

    private static async Task WriteAsync(string path, byte[] bytes)
    {
        string temporary = path + ".tmp";
        try
        {
            await File.WriteAllBytesAsync(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
