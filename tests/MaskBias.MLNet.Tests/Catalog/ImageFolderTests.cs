using MaskBias.MLNet.Catalog;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Catalog;

public sealed class ImageFolderTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();

    [Fact]
    public void Class_folders_give_their_names_as_labels_in_ordinal_order()
    {
        foreach (string file in new[] { "b/2.PNG", "b/10.png", "a/deep/er/x.jpeg", "a/y.webp", "Z/1.bmp", "a/notes.txt", "a/.hidden.png", "root.gif" }) folder.Write(file, [1]);
        var rows = Read();
        Assert.Equal(["Z", "a", "a", "b", "b", ""], rows.Select(r => r.Label));
        Assert.Equal(["Z/1.bmp", "a/deep/er/x.jpeg", "a/y.webp", "b/10.png", "b/2.PNG", "root.gif"],
            rows.Select(r => Path.GetRelativePath(folder.Path, r.ImagePath).Replace('\\', '/')));
        Assert.All(rows, r => Assert.True(Path.IsPathFullyQualified(r.ImagePath)));
    }

    [Fact]
    public void A_flat_folder_has_no_labels()
    {
        folder.Write("1.jpg", [1]);
        folder.Write("2.JPG", [1]);
        Assert.All(Read(), r => Assert.Equal("", r.Label));
    }

    [Fact]
    public void Missing_folders_and_folders_without_images_are_errors()
    {
        string nowhere = Path.Combine(folder.Path, "nowhere");
        Assert.Contains($"The folder '{nowhere}' does not exist", Assert.Throws<DirectoryNotFoundException>(() => ml.Data.LoadImageFolder(nowhere)).Message);
        folder.Write("readme.md", [1]);
        string message = Assert.Throws<ArgumentException>(() => ml.Data.LoadImageFolder(folder.Path)).Message;
        Assert.Contains("holds no image; files with the extensions .jpg, .jpeg, .png, .bmp, .gif, .webp are looked for", message);
    }

    private ImageFolderRow[] Read()
    {
        var view = ml.Data.LoadImageFolder(folder.Path);
        Assert.Equal(["ImagePath", "Label"], view.Schema.Select(c => c.Name));
        Assert.All(view.Schema, c => Assert.Equal(TextDataViewType.Instance, c.Type));
        var rows = ml.Data.CreateEnumerable<ImageFolderRow>(view, reuseRowObject: false).ToArray();
        Assert.Equal(rows.Length, view.GetRowCount());
        return rows;
    }

    public void Dispose() => folder.Dispose();
}
