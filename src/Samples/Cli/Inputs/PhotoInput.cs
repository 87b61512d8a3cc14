using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>Folders of images on the command line.</summary>
internal sealed class PhotoInput
{
    private readonly Option<string> images = new("--images")
    {
        Description = "Your images: a folder per class, or a flat folder of unlabelled ones.", Required = true, HelpName = "folder",
    };

    private readonly Option<string?> test = new("--test")
    {
        Description = "Images to hold out, in folders of the same classes; else a fifth of each class.", HelpName = "folder",
    };

    private readonly Option<string?> extra = new("--extra") { Description = "More images, whose classes play no part.", HelpName = "folder" };

    private readonly bool needsLabels;

    /// <param name="command">Receives the options.</param>
    /// <param name="needsLabels">Whether classes are needed; else every image is used, and --test is not there.</param>
    /// <param name="takesExtra">Whether unlabelled images can be added.</param>
    public PhotoInput(Command command, bool needsLabels, bool takesExtra = false)
    {
        this.needsLabels = needsLabels;
        command.Add(images);
        if (needsLabels) command.Add(test);
        if (takesExtra) command.Add(extra);
    }

    /// <summary>What was given, for another command.</summary>
    public string Given(ParseResult parsed) => GivenOptions.Text(parsed, images, extra);

    /// <summary>Finds the images, and notes those that no format here fits.</summary>
    /// <exception cref="UsageException">There are none, or no classes where they are needed.</exception>
    public PhotoSet Load(Session session, ParseResult parsed, int seed)
    {
        try
        {
            NotePassedOver(session, [.. new[] { parsed.GetValue(images), parsed.GetValue(test), parsed.GetValue(extra) }.OfType<string>()]);
            var photos = PhotoSet.Load(parsed.GetValue(images)!, seed);
            if (parsed.GetValue(test) is { } held) photos = photos.WithTest(held);
            if (parsed.GetValue(extra) is { } more) photos = photos.WithExtra(more);
            if (needsLabels && !photos.HasLabels)
                throw new UsageException($"--images is '{parsed.GetValue(images)}', which has no class folders; it must have a folder per class, two at least.");
            return photos;
        }
        catch (IOException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>Says how many files of folders are of formats that cannot be read.</summary>
    public static void NotePassedOver(Session session, params IEnumerable<string> folders)
    {
        int count = folders.Where(Directory.Exists).Sum(PhotoSet.CountUnreadable);
        if (count > 0)
            session.Note($"{count} files are of formats that cannot be read ({PhotoSet.UnreadableExtensions}) and are passed over: convert them to JPEG.");
    }

    /// <summary>Rows of images that are learned from without labels: all of them.</summary>
    public static IDataView Everything(MLContext ml, PhotoSet photos) => PhotoSet.ToDataView(ml, [.. photos.Train, .. photos.Test, .. photos.Extra]);

    /// <summary>Labelled rows with keys, and what gives other rows the same; extra images have no class.</summary>
    public static (IDataView Train, ITransformer Keys) Keyed(MLContext ml, PhotoSet photos)
    {
        var labelled = PhotoSet.ToDataView(ml, photos.Train);
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(labelled);
        return (keys.Transform(PhotoSet.ToDataView(ml, [.. photos.Train, .. photos.Extra])), keys);
    }
}
