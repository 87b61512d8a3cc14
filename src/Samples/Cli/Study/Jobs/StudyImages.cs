using System.Globalization;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Common.Photos;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>The images of a study, found.</summary>
internal sealed class StudyImages
{
    private const int SplitSeed = 1;                    // where a fifth is held out, it is the same fifth for every seed

    private readonly string root;

    private StudyImages(string root, PhotoSet found, MaskFolders masks)
    {
        (this.root, MaskFolders) = (root, masks);
        Classes = found.Classes;
        (Train, Test, Extra) = (Ordered(found.Train), Ordered(found.Test), Ordered(found.Extra));
        TestKey = Key(Test);
    }

    /// <summary>Names of the classes.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Labelled images to learn from.</summary>
    public IReadOnlyList<Photo> Train { get; }

    /// <summary>Labelled images to measure on.</summary>
    public IReadOnlyList<Photo> Test { get; }

    /// <summary>Images to pretrain on besides.</summary>
    public IReadOnlyList<Photo> Extra { get; }

    /// <summary>The folders with masks of them.</summary>
    public MaskFolders MaskFolders { get; }

    /// <summary>Stands for the labelled images, of both kinds.</summary>
    public string LabelledKey => $"{Key(Train)} {TestKey}";

    private string TestKey { get; }

    /// <summary>Finds the images.</summary>
    /// <param name="data">What the plan says.</param>
    /// <param name="root">The folder that the plan's are in.</param>
    /// <param name="faults">Receives what is missing.</param>
    /// <returns>Null where something is.</returns>
    public static StudyImages? Find(StudyData data, string root, List<string> faults)
    {
        var folders = new[] { ("Train", data.Train), ("Test", data.Test), ("Extra", data.Extra) };
        foreach (var (name, folder) in folders.Concat(data.Masks.Select(m => ($"Masks.{m.Key}", (string?)m.Value))))
        {
            if (folder is not null && !Directory.Exists(Path.Combine(root, folder)))
                faults.Add($"Data.{name} is '{folder}'; there is no such folder in {Path.GetFullPath(root)} (--data or MASKBIAS_DATA "
                    + "names another).");
        }
        if (faults.Count > 0) return null;
        try
        {
            var found = PhotoSet.Load(Path.Combine(root, data.Train), SplitSeed);
            if (!found.HasLabels)
                throw new IOException($"Data.Train is '{data.Train}', which has no class folders; it must have a folder per class, two "
                    + "at least.");
            if (data.Test is { } test) found = found.WithTest(Path.Combine(root, test));
            if (data.Extra is { } extra) found = found.WithExtra(Path.Combine(root, extra));
            if (found.Test.Count == 0)
                throw new IOException("No class has two images, so none can be held out; name a folder in Data.Test.");
            var measured = found.Test.Select(FullPath).ToHashSet();
            int both = found.Train.Concat(found.Extra).Count(image => measured.Contains(FullPath(image)));
            if (both > 0) throw new IOException($"{both} images are both to measure on and, by Data.Train or Data.Extra, to learn from; the "
                + "folders must not lie in each other.");
            return new(root, found, new(data.Masks, root));
        }
        catch (IOException e)
        {
            faults.Add(e.Message);
            return null;
        }
    }

    /// <summary>What a cell pretrains on.</summary>
    public IReadOnlyList<Photo> Pretraining(StudyCell cell) => cell.Extra ? [.. Train, .. Extra] : Train;

    /// <summary>The class of each image, from 0.</summary>
    public int[] ClassesOf(IReadOnlyList<Photo> images)
    {
        var numbers = Classes.Select((name, i) => (name, i)).ToDictionary(c => c.name, c => c.i);
        return [.. images.Select(i => numbers[i.Label])];
    }

    /// <summary>Rows with their class as a key, numbered as <see cref="Classes"/> are.</summary>
    public IDataView Keyed<T>(MLContext ml, IEnumerable<T> rows, SchemaDefinition? schema = null) where T : class
    {
        var view = ml.Data.LoadFromEnumerable(rows, schema);
        var known = ml.Data.LoadFromEnumerable(Classes.Select(c => new Photo { Label = c }), SchemaDefinition.Create(typeof(Photo)));
        var keys = ml.Transforms.Conversion.MapValueToKey("Label",
            keyData: ml.Transforms.SelectColumns("Label").Fit(known).Transform(known));
        return keys.Fit(view).Transform(view);
    }

    /// <summary>Stands for a list of images: their places, names and sizes.</summary>
    public string Key(IReadOnlyList<Photo> images) => StudyFolder.Key(images.Select(image =>
        string.Create(CultureInfo.InvariantCulture, $"{Name(image)} {new FileInfo(image.ImagePath).Length}")));

    /// <summary>An image's name in the data.</summary>
    public string Name(Photo image) => Path.GetRelativePath(root, image.ImagePath).Replace(Path.DirectorySeparatorChar, '/');

    private static string FullPath(Photo image) => Path.GetFullPath(image.ImagePath);

    private Photo[] Ordered(IEnumerable<Photo> photos) => [.. photos.OrderBy(Name, StringComparer.Ordinal)];
}
