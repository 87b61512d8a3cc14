using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Common.Photos;

/// <summary>The images of a folder, split into those that train and those that are held out.</summary>
/// <param name="Classes">Class names in ordinal order; empty when the images carry no labels.</param>
/// <param name="Train">Images to train on.</param>
/// <param name="Test">Images held out; empty without labels, or when no class has two images.</param>
/// <param name="TrainingOnly">Classes of one image, which trains: none of theirs is held out.</param>
internal sealed record PhotoSet(
    IReadOnlyList<string> Classes, IReadOnlyList<Photo> Train, IReadOnlyList<Photo> Test, IReadOnlyList<string> TrainingOnly)
{
    private const double TestShare = 0.2;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"];

    // What cameras and scanners write, and nothing here decodes.
    private static readonly string[] Unreadable = [".heic", ".heif", ".avif", ".tif", ".tiff", ".dng"];

    /// <summary>Extensions of formats that cannot be read.</summary>
    public static string UnreadableExtensions => string.Join(", ", Unreadable);

    public bool HasLabels => Classes.Count > 0;

    /// <summary>More images, for the two trainings alone: their classes, if any, are not read.</summary>
    public IReadOnlyList<Photo> Extra { get; private init; } = [];

    /// <summary>The set with the images of another folder, at any depth, as <see cref="Extra"/>.</summary>
    /// <exception cref="IOException">No such folder, or no images in it.</exception>
    public PhotoSet WithExtra(string folder) => this with { Extra = [.. ImagesOf(folder).Select(path => new Photo { ImagePath = path })] };

    /// <summary>The set with all of its images to train on, and another folder's held out, whose class folders bear the same names.</summary>
    /// <exception cref="IOException">No such folder, no images in it, no classes to train on, or a class that is not among them.</exception>
    public PhotoSet WithTest(string folder)
    {
        if (!HasLabels) throw new IOException($"Images to train on have no classes, so those of {folder} cannot be compared with them.");
        var test = ImagesOf(folder)
            .Select(path => new Photo { ImagePath = path, Label = ClassOf(folder, path) })
            .ToList();
        if (test.FirstOrDefault(photo => !Classes.Contains(photo.Label)) is { } stranger)
            throw new IOException($"{stranger.ImagePath} is not in a folder of one of the classes to train on: {string.Join(", ", Classes)}.");
        return this with { Train = [.. Train, .. Test], Test = test, TrainingOnly = [] };
    }

    /// <summary>Finds a folder's images: class folders give labels, a flat folder gives none.</summary>
    /// <param name="folder">The folder; hidden files and folders are passed over.</param>
    /// <param name="seed">Decides what is held out.</param>
    /// <param name="mostPerClass">At most that many images of each class, or of a flat folder, are taken.</param>
    /// <remarks>One class alone says nothing, so its images count as unlabelled.</remarks>
    /// <exception cref="IOException">
    /// No such folder, fewer than two images in it, or images both in it and in folders below it.
    /// </exception>
    public static PhotoSet Load(string folder, int seed, int mostPerClass = int.MaxValue)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}.");
        var flat = ImagesIn(folder, recurse: false);
        var classes = Directory.GetDirectories(folder, "*", new EnumerationOptions { IgnoreInaccessible = false })
            .Select(path => (Name: Path.GetFileName(path), Images: ImagesIn(path, recurse: true)))
            .Where(c => c.Images.Count > 0)
            .OrderBy(c => c.Name, StringComparer.Ordinal)
            .ToList();
        if (flat.Count > 0 && classes.Count > 0)
            throw new IOException($"{folder} holds images ({flat.Count}) and also folders of images ({classes.Count}, the first is "
                + $"{classes[0].Name}); it must be one folder per class, or a flat folder of unlabelled images.");
        int count = flat.Count + classes.Sum(c => c.Images.Count);
        if (count < 2)
            throw new IOException($"{folder} holds {(count == 0 ? "no images" : "one image")}; pretraining needs at least 2. "
                + $"Files that end in {string.Join(", ", Extensions)} count.");

        var random = new Random(seed);
        if (classes.Count < 2)
        {
            var unlabelled = Shuffled(flat.Concat(classes.SelectMany(c => c.Images)), label: "", random, mostPerClass);
            return new([], unlabelled, [], []);
        }
        return Split([.. classes.Select(c => (c.Name, Shuffled(c.Images, c.Name, random, mostPerClass)))]);
    }

    /// <summary>The images of a folder, at any depth, in ordinal order.</summary>
    /// <exception cref="IOException">No such folder, or no images in it.</exception>
    public static List<string> ImagesOf(string folder)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}.");
        var images = ImagesIn(folder, recurse: true);
        return images.Count > 0 ? images : throw new IOException($"{folder} holds no images.");
    }

    /// <summary>The class that an image of a folder is of: the name of the folder in it that the image lies in, at any depth.</summary>
    public static string ClassOf(string folder, string image) => Path.GetRelativePath(folder, image).Split(Path.DirectorySeparatorChar)[0];

    /// <summary>How many images of formats that cannot be read lie in a folder, at any depth.</summary>
    public static int CountUnreadable(string folder) => FilesIn(folder, recurse: true, Unreadable).Count();

    public static IDataView ToDataView(MLContext ml, IEnumerable<Photo> photos) => ml.Data.LoadFromEnumerable(photos);

    // Class by class, so that each keeps its share; a class of one image only trains.
    private static PhotoSet Split(List<(string Name, Photo[] Photos)> classes)
    {
        var (train, test) = (new List<Photo>(), new List<Photo>());
        foreach (var (_, photos) in classes)
        {
            int held = Math.Min(photos.Length - 1, Math.Max(1, (int)Math.Round(TestShare * photos.Length)));
            test.AddRange(photos[..held]);
            train.AddRange(photos[held..]);
        }
        return new([.. classes.Select(c => c.Name)], train, test, [.. classes.Where(c => c.Photos.Length == 1).Select(c => c.Name)]);
    }

    private static Photo[] Shuffled(IEnumerable<string> paths, string label, Random random, int most)
    {
        var photos = paths.Select(path => new Photo { ImagePath = path, Label = label }).ToArray();
        random.Shuffle(photos);
        return photos[..Math.Min(most, photos.Length)];
    }

    private static List<string> ImagesIn(string folder, bool recurse) => [.. FilesIn(folder, recurse, Extensions).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> FilesIn(string folder, bool recurse, string[] extensions)
    {
        var visible = new EnumerationOptions { RecurseSubdirectories = recurse, IgnoreInaccessible = false };
        return Directory.EnumerateFiles(folder, "*", visible)
            .Where(path => extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase));
    }
}
