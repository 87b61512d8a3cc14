namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// A file of COCO instances (images and annotations with polygons or run lengths) or of COCO results (a list of detections). Thread-safe.
/// </summary>
public sealed class CocoFile
{
    private readonly CocoIndex index;

    private CocoFile(CocoIndex index) => this.index = index;

    /// <summary>The images that the file lists; results list none.</summary>
    public IReadOnlyCollection<CocoImage> Images => index.Images;

    /// <summary>Numbers of the images that have annotations.</summary>
    public IReadOnlyCollection<long> AnnotatedImages => index.AnnotatedImages;

    /// <summary>Reads a file; its annotations are parsed as they are asked for.</summary>
    /// <exception cref="InvalidDataException">The file is not of this format; the message says where and why.</exception>
    public static CocoFile Read(string path) => Parse(MaskFileBytes.Read(path), path);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="json">UTF-8; it must not change while the object is used.</param>
    /// <param name="name">What errors call it.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static CocoFile Parse(ReadOnlyMemory<byte> json, string name) => new(new(json, name));

    /// <summary>
    /// Finds an image: the longest tail of its path that is an image's file_name. Where the file lists no images, the digits at the end
    /// of its name are its number.
    /// </summary>
    /// <returns>The image's number, or null where the file does not list it.</returns>
    public long? FindImage(string imagePath) => index.Find(imagePath);

    /// <summary>The annotations of an image, in the file's order.</summary>
    /// <exception cref="InvalidDataException">An annotation is malformed or of another size than its image.</exception>
    public IReadOnlyList<CocoAnnotation> Annotations(long imageId)
    {
        var outline = index.Image(imageId) is { } image ? new PolygonOutline(image.Height, image.Width) : null;
        return [.. index.Read(imageId, annotation => new CocoAnnotation(
            imageId, annotation.Find("category_id")?.Long() ?? 0, SegmentationJson.Read(annotation["segmentation"], outline))
        {
            Score = annotation.Find("score")?.Number(),
            IsCrowd = annotation.Find("iscrowd")?.Int() is > 0,
        })];
    }

    /// <summary>The masks of an image, in the file's order; crowds are masks, too.</summary>
    /// <exception cref="InvalidDataException">An annotation is malformed or of another size than its image, or the image is unknown.</exception>
    public MaskSet ReadMasks(long imageId)
    {
        var masks = Annotations(imageId).Select(a => a.Segmentation).ToList();
        if (index.Image(imageId) is { } image) return CocoRle.ToMaskSet(image.Height, image.Width, masks);
        return masks.Count > 0 ? CocoRle.ToMaskSet(masks[0].Height, masks[0].Width, masks)
            : throw new InvalidDataException($"{index.Name} does not list image {imageId}.");
    }
}
