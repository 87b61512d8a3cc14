namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// COCO's panoptic format: a JSON file that lists the segments of each image, and a folder with one PNG per image, in which a segment's
/// number is red + 256 · green + 65536 · blue; 0 is no segment. Thread-safe.
/// </summary>
public sealed class CocoPanopticFile
{
    private readonly CocoIndex index;
    private readonly string folder;

    private CocoPanopticFile(CocoIndex index, string folder) => (this.index, this.folder) = (index, folder);

    /// <summary>The images that the file lists.</summary>
    public IReadOnlyCollection<CocoImage> Images => index.Images;

    /// <summary>Opens a file; the PNGs are read as they are asked for.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="pngFolder">Folder of the PNGs; null for the one beside the JSON file that has its name without the extension.</param>
    /// <exception cref="InvalidDataException">The file is not of this format; the message says where and why.</exception>
    public static CocoPanopticFile Read(string path, string? pngFolder = null) =>
        Parse(MaskFileBytes.Read(path), path, pngFolder);

    internal static CocoPanopticFile Parse(ReadOnlyMemory<byte> json, string path, string? pngFolder) =>
        new(new(json, path), pngFolder ?? Path.ChangeExtension(Path.GetFullPath(path), null));

    /// <inheritdoc cref="CocoFile.FindImage"/>
    public long? FindImage(string imagePath) => index.Find(imagePath);

    /// <summary>The masks of an image, one per segment in the JSON file's order; a segment without pixels is an empty mask.</summary>
    /// <exception cref="InvalidDataException">
    /// The image is not listed, or its PNG is damaged, of another size, or holds a segment that the JSON file does not list.
    /// </exception>
    public MaskSet ReadMasks(long imageId)
    {
        var (fileName, segments) = index.Read(imageId, ReadAnnotation).LastOrDefault();
        if (fileName is null) throw new InvalidDataException($"{index.Name} does not list the segments of image {imageId}.");
        string path = Path.Combine(folder, fileName);
        var runs = ReadPng(path, index.Image(imageId));
        var unlisted = runs.Labels.Except(segments).Take(1).ToArray();
        return unlisted.Length == 0 ? runs.Build(segments)
            : throw new InvalidDataException($"'{path}' holds segment {unlisted[0]}, which {index.Name} does not list.");
    }

    private static (string FileName, int[] Segments) ReadAnnotation(LocatedJson annotation)
    {
        string fileName = annotation["file_name"].Text();
        if (fileName.AsSpan().ContainsAny(Path.GetInvalidPathChars()))
            throw new InvalidDataException($"{annotation.Place}: the file name has a character that no path has.");
        // A file name is a name: it may not lead elsewhere.
        if (Path.IsPathRooted(fileName) || fileName.Replace('\\', '/').Split('/').Contains(".."))
            throw new InvalidDataException($"{annotation.Place}: the file name '{fileName}' leads out of the folder.");
        int[] segments = [.. annotation["segments_info"].Items().Select(segment => segment["id"].Int())];
        return segments.Length <= MaskSet.MaxCount ? (fileName, segments)
            : throw new InvalidDataException($"{annotation.Place}: there are {segments.Length} segments; a set holds {MaskSet.MaxCount}.");
    }

    private static LabelRuns ReadPng(string path, CocoImage? image)
    {
        using var samples = new PngSamples(MaskFileBytes.Read(path), path);
        if (samples.Channels < 3 || samples.MaxSample > byte.MaxValue)
            throw new InvalidDataException($"'{path}' is no panoptic PNG: it must have 8-bit colours.");
        if (image is not null && (samples.Height, samples.Width) != (image.Height, image.Width))
            throw new InvalidDataException($"'{path}' is {samples.Width}x{samples.Height}; its image is {image.Width}x{image.Height}.");
        var runs = new LabelRuns(samples.Height, samples.Width, CocoRle.MaxRuns);
        ushort[] row = new ushort[samples.Width * samples.Channels];
        int[] labels = new int[samples.Width];
        for (int y = 0; y < samples.Height; y++)
        {
            samples.ReadRow(row);
            for (int x = 0, i = 0; x < labels.Length; x++, i += samples.Channels) labels[x] = row[i] | row[i + 1] << 8 | row[i + 2] << 16;
            runs.AddRow(y, labels, [0]);
        }
        return runs;
    }
}
