using Microsoft.ML;

namespace MaskBias.MLNet.Catalog;

/// <summary>Loading folders of images.</summary>
public static class ImageFolderExtensions
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];

    /// <summary>Lists the images of a folder: either flat, or with one folder per class, whatever lies below it.</summary>
    /// <param name="catalog">ml.Data.</param>
    /// <param name="folder">The folder. Files of other types, and hidden ones, are passed over.</param>
    /// <returns>
    /// The columns ImagePath (the file's full path) and Label (the class folder's name; empty for files in the folder itself), both Text,
    /// in ordinal order of the paths. Nothing is decoded yet.
    /// </returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">The folder holds no image.</exception>
    public static IDataView LoadImageFolder(this DataOperationsCatalog catalog, string folder)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        string root = Path.GetFullPath(folder);
        if (!Directory.Exists(root)) throw new DirectoryNotFoundException($"The folder '{folder}' does not exist (looked for {root}).");
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, MaxRecursionDepth = 64 };
        var rows = Directory.EnumerateFiles(root, "*", everywhere)
            .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Select(file => Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal)
            .Select(file => new ImageFolderRow { ImagePath = Path.Combine(root, file), Label = ClassOf(file) })
            .ToArray();
        if (rows.Length == 0)
        {
            throw new ArgumentException(
                $"The folder '{folder}' holds no image; files with the extensions {string.Join(", ", Extensions)} are looked for, in it and below.");
        }
        return catalog.LoadFromEnumerable(rows);
    }

    private static string ClassOf(string relativePath) => relativePath.IndexOf('/') is > 0 and int end ? relativePath[..end] : "";
}
