namespace MaskBias.MLNet.Masks.Files;

/// <summary>Reads a COCO "segmentation": run lengths, compressed or not, or polygons.</summary>
internal static class SegmentationJson
{
    /// <summary>Reads one mask.</summary>
    /// <param name="json">The value of "segmentation".</param>
    /// <param name="outline">Rasterises polygons of the image; null where its size is not known.</param>
    /// <exception cref="InvalidDataException">It is malformed, or of another size than the image.</exception>
    public static CocoRle Read(LocatedJson json, PolygonOutline? outline)
    {
        try
        {
            return json.IsArray ? ReadPolygons(json, outline) : ReadRunLengths(json, outline);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"{json.Place}: {e.Message}", e);
        }
    }

    private static CocoRle ReadRunLengths(LocatedJson json, PolygonOutline? outline)
    {
        var (height, width) = ReadSize(json["size"]);
        if (outline is not null && (height, width) != (outline.Height, outline.Width))
            throw new InvalidDataException($"{json.Place}: the mask is of {width}x{height}; the image is of {outline.Width}x{outline.Height}.");
        var counts = json["counts"];
        return counts.IsText ? CocoRle.Parse(height, width, counts.Text())
            : CocoRle.FromCounts(height, width, [.. counts.Items().Select(count => count.Int())]);
    }

    private static CocoRle ReadPolygons(LocatedJson json, PolygonOutline? outline)
    {
        if (outline is null)
            throw new InvalidDataException($"{json.Place}: polygons need the image's size, which the file does not give.");
        return CocoRle.FromPolygons(outline, [.. json.Items().Select(polygon => polygon.Numbers())]);
    }

    private static (int Height, int Width) ReadSize(LocatedJson json)
    {
        int[] size = [.. json.Items().Take(3).Select(side => side.Int())];
        return size.Length == 2 ? (size[0], size[1]) : throw json.Expected("[height, width]");
    }
}
