using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Some images of a folder.</summary>
/// <param name="Images">The images, in the order of their paths.</param>
/// <param name="Classes">Names of the classes; empty for images without, or of one class alone.</param>
/// <param name="Found">Images in the folder.</param>
internal sealed record ImageSet(IReadOnlyList<LabelledImage> Images, IReadOnlyList<string> Classes, int Found)
{
    /// <summary>Whether there are classes to tell apart.</summary>
    public bool HasClasses => Classes.Count > 1;

    /// <summary>Lists a folder's images; where there are more than asked for, some are drawn.</summary>
    /// <exception cref="IOException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">The folder holds no image.</exception>
    public static ImageSet Load(MLContext ml, string folder, int most, int seed)
    {
        var rows = ml.Data.CreateEnumerable<ImageFolderRow>(ml.Data.LoadImageFolder(folder), reuseRowObject: false).ToArray();
        int found = rows.Length;
        if (found > most)
        {
            new Random(seed).Shuffle(rows);
            rows = [.. rows[..most].OrderBy(row => row.ImagePath, StringComparer.Ordinal)];
        }
        string root = Path.GetFullPath(folder);
        string[] classes = [.. rows.Select(row => row.Label).Where(label => label.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length < 2) classes = [];
        return new([.. rows.Select(ToImage)], classes, found);

        LabelledImage ToImage(ImageFolderRow row) =>
            new(row.ImagePath, Path.GetRelativePath(root, row.ImagePath), Array.IndexOf(classes, row.Label));
    }

    /// <summary>The name of a class; empty for none.</summary>
    public string ClassOf(LabelledImage image) => image.Class < 0 ? "" : Classes[image.Class];

    /// <summary>What a picture of an image is headed with: its class, or else the name of its file.</summary>
    public string TitleOf(LabelledImage image) => image.Class < 0 ? SafeText.Short(Path.GetFileName(image.Path), 24) : Classes[image.Class];

    /// <summary>A few of the images, evenly spread: rows lie class by class.</summary>
    public IReadOnlyList<int> Spread(int count)
    {
        int taken = Math.Min(count, Images.Count);
        return [.. Enumerable.Range(0, taken).Select(i => (2 * i + 1) * Images.Count / (2 * taken))];
    }
}
