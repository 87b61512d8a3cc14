using System.Text.Encodings.Web;
using System.Text.Json;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// The masks of one image in the JSON format of SA-1B (Kirillov et al., ICCV 2023); also read is the bare list of annotations that Segment
/// Anything's mask generator writes.
/// </summary>
public sealed class Sa1bFile
{
    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Describes an image.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="annotations">Its masks, of this size.</param>
    /// <exception cref="InvalidDataException">A mask is of another size.</exception>
    public Sa1bFile(int height, int width, IReadOnlyList<Sa1bAnnotation> annotations)
    {
        ArgumentNullException.ThrowIfNull(annotations);
        foreach (var (i, mask) in annotations.Select(a => a.Segmentation).Index())
        {
            if ((mask.Height, mask.Width) != (height, width))
                throw new InvalidDataException($"Mask {i} is of {mask.Width}x{mask.Height}; the image is of {width}x{height}.");
        }
        (Height, Width, Annotations) = (height, width, annotations);
    }

    /// <summary>Rows of the image; 0 where the file is a list without annotations.</summary>
    public int Height { get; }

    /// <summary>Columns of the image; 0 where the file is a list without annotations.</summary>
    public int Width { get; }

    /// <summary>The masks; they may be empty.</summary>
    public IReadOnlyList<Sa1bAnnotation> Annotations { get; }

    /// <summary>Number of the image.</summary>
    public long? ImageId { get; init; }

    /// <summary>Name of the image's file.</summary>
    public string? FileName { get; init; }

    /// <summary>Describes the masks of an image.</summary>
    /// <param name="masks">The masks; they are numbered from 1.</param>
    /// <param name="fileName">Name of the image's file.</param>
    /// <param name="imageId">Number of the image.</param>
    public static Sa1bFile From(MaskSet masks, string fileName, long imageId = 0)
    {
        ArgumentNullException.ThrowIfNull(masks);
        var annotations = CocoRle.From(masks).Select((mask, i) => new Sa1bAnnotation(mask) { Id = i + 1 });
        return new(masks.Height, masks.Width, [.. annotations]) { FileName = fileName, ImageId = imageId };
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is not of this format; the message says where and why.</exception>
    public static Sa1bFile Read(string path) => Parse(MaskFileBytes.Read(path), path);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="name">What errors call it.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static Sa1bFile Parse(ReadOnlyMemory<byte> json, string name) =>
        LocatedJson.Parse(json, name, root => root.IsArray ? ReadList(root) : ReadFile(root));

    /// <summary>The masks as a set, in the file's order.</summary>
    /// <exception cref="InvalidDataException">There are too many masks or runs, or the image's size is not known.</exception>
    public MaskSet ToMaskSet() => Height > 0 ? CocoRle.ToMaskSet(Height, Width, Annotations.Select(a => a.Segmentation))
        : throw new InvalidDataException("A list without annotations does not say of which size the image is.");

    /// <summary>Writes the file; an existing one is replaced as a whole.</summary>
    public void Write(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the file's content.</summary>
    /// <remarks>Every mask's bbox is written in SA-1B's convention, its width and height one less than the number of pixels.</remarks>
    public void Write(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, WriterOptions);
        json.WriteStartObject();
        json.WriteStartObject("image");
        json.WriteNumber("image_id", ImageId ?? 0);
        json.WriteNumber("width", Width);
        json.WriteNumber("height", Height);
        json.WriteString("file_name", FileName ?? "");
        json.WriteEndObject();
        json.WriteStartArray("annotations");
        foreach (var annotation in Annotations) Write(json, annotation);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Sa1bFile ReadFile(LocatedJson root)
    {
        var image = root["image"];
        int height = image["height"].Int(), width = image["width"].Int();
        if (MaskSet.SizeFault(height, width) is { } fault) throw new InvalidDataException($"{image.Place}: {fault}");
        return new(height, width, ReadAnnotations(root["annotations"], new PolygonOutline(height, width)))
        {
            ImageId = image.Find("image_id")?.Long(),
            FileName = image.Find("file_name")?.Text(),
        };
    }

    private static Sa1bFile ReadList(LocatedJson root)
    {
        var annotations = ReadAnnotations(root, outline: null);
        if (annotations.Count == 0) return new(0, 0, annotations);
        try
        {
            return new(annotations[0].Segmentation.Height, annotations[0].Segmentation.Width, annotations);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{root.Place}: {e.Message}", e);
        }
    }

    private static List<Sa1bAnnotation> ReadAnnotations(LocatedJson json, PolygonOutline? outline) =>
        [.. json.Items().Select(item => new Sa1bAnnotation(SegmentationJson.Read(item["segmentation"], outline))
        {
            Id = item.Find("id")?.Long(),
            Box = item.Find("bbox")?.Numbers(),
            PredictedIou = item.Find("predicted_iou")?.Number(),
            StabilityScore = item.Find("stability_score")?.Number(),
            PointCoords = item.Find("point_coords") is { } points ? [.. points.Items().Select(point => point.Numbers())] : null,
            CropBox = item.Find("crop_box")?.Numbers(),
        })];

    private static void Write(Utf8JsonWriter json, Sa1bAnnotation annotation)
    {
        var mask = annotation.Segmentation;
        var box = mask.BoundingBox();
        json.WriteStartObject();
        WriteNumbers(json, "bbox", [box.X, box.Y, Math.Max(0, box.Width - 1), Math.Max(0, box.Height - 1)]);
        json.WriteNumber("area", mask.Area);
        CocoResults.WriteSegmentation(json, mask);
        if (annotation.PredictedIou is { } iou) json.WriteNumber("predicted_iou", iou);
        if (annotation.PointCoords is { } points)
        {
            json.WriteStartArray("point_coords");
            foreach (var point in points) WriteNumbers(json, null, point);
            json.WriteEndArray();
        }
        if (annotation.CropBox is { } crop) WriteNumbers(json, "crop_box", crop);
        if (annotation.Id is { } id) json.WriteNumber("id", id);
        if (annotation.StabilityScore is { } stability) json.WriteNumber("stability_score", stability);
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string? name, IEnumerable<double> numbers)
    {
        if (name is null) json.WriteStartArray();
        else json.WriteStartArray(name);
        foreach (double number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
