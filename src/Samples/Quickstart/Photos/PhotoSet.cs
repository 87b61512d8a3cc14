using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Quickstart.Photos;

/// <summary>The images of a folder, split into those that train and those that are held out.</summary>
/// <param name="Folder">Where they lie.</param>
/// <param name="Classes">Class names in ordinal order; empty when the images carry no labels.</param>
/// <param name="Train">Images to train on.</param>
/// <param name="Test">Images held out; empty without labels.</param>
internal sealed record PhotoSet(string Folder, IReadOnlyList<string> Classes, IReadOnlyList<Photo> Train, IReadOnlyList<Photo> Test)
{
    private const double TestShare = 0.2;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"];

    public bool HasLabels => Classes.Count > 0;

    /// <summary>Finds a folder's images: class folders give labels, a flat folder gives none.</summary>
    /// <remarks>One class alone says nothing, so its images count as unlabelled.</remarks>
    /// <exception cref="IOException">No such folder, no images in it, or images both in it and in folders below it.</exception>
    public static PhotoSet Load(string folder, int seed)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}.");
        var flat = ImagesIn(folder, SearchOption.TopDirectoryOnly);
        var classes = Directory.GetDirectories(folder)
            .Select(path => (Name: Path.GetFileName(path), Images: ImagesIn(path, SearchOption.AllDirectories)))
            .Where(c => c.Images.Count > 0)
            .OrderBy(c => c.Name, StringComparer.Ordinal)
            .ToList();
        if (flat.Count > 0 && classes.Count > 0)
            throw new IOException($"{folder} holds images ({flat.Count}) and also folders of images ({classes.Count}, the first is "
                + $"{classes[0].Name}); it must be one folder per class, or a flat folder of unlabelled images.");
        if (flat.Count == 0 && classes.Count == 0)
            throw new IOException($"{folder} holds no images; files that end in {string.Join(", ", Extensions)} count.");
        if (classes.Count < 2)
        {
            var unlabelled = flat.Concat(classes.SelectMany(c => c.Images)).Select(path => new Photo { ImagePath = path });
            return new(folder, [], [.. unlabelled], []);
        }
        var (train, test) = Split(classes, seed);
        return new(folder, [.. classes.Select(c => c.Name)], train, test);
    }

    public static IDataView ToDataView(MLContext ml, IEnumerable<Photo> photos) => ml.Data.LoadFromEnumerable(photos);

    // Class by class, so that each keeps its share; a class of one image only trains.
    private static (List<Photo> Train, List<Photo> Test) Split(IEnumerable<(string Name, List<string> Images)> classes, int seed)
    {
        var random = new Random(seed);
        var (train, test) = (new List<Photo>(), new List<Photo>());
        foreach (var (name, images) in classes)
        {
            var photos = images.Select(path => new Photo { ImagePath = path, Label = name }).ToArray();
            random.Shuffle(photos);
            int held = Math.Min(photos.Length - 1, Math.Max(1, (int)Math.Round(TestShare * photos.Length)));
            test.AddRange(photos[..held]);
            train.AddRange(photos[held..]);
        }
        return (train, test);
    }

    private static List<string> ImagesIn(string folder, SearchOption depth) =>
        [.. Directory.EnumerateFiles(folder, "*", depth)
            .Where(path => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)];
}
