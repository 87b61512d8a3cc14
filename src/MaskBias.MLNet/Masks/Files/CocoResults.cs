using System.Text.Json;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Writes masks as COCO results: the list of detections with run lengths that pycocotools' <c>loadRes</c> reads.</summary>
public static class CocoResults
{
    /// <summary>Writes results; an existing file is replaced as a whole.</summary>
    public static void Write(string path, IEnumerable<CocoAnnotation> annotations) => AtomicFile.Write(path, stream => Write(stream, annotations));

    /// <summary>Writes results; an annotation without a score gets 1.</summary>
    public static void Write(Stream stream, IEnumerable<CocoAnnotation> annotations)
    {
        ArgumentNullException.ThrowIfNull(annotations);
        using var json = new Utf8JsonWriter(stream, Sa1bFile.WriterOptions);
        json.WriteStartArray();
        foreach (var annotation in annotations)
        {
            json.WriteStartObject();
            json.WriteNumber("image_id", annotation.ImageId);
            json.WriteNumber("category_id", annotation.CategoryId);
            WriteSegmentation(json, annotation.Segmentation);
            json.WriteNumber("score", annotation.Score ?? 1);
            json.WriteEndObject();
            if (json.BytesPending > 1 << 16) json.Flush();
        }
        json.WriteEndArray();
    }

    internal static void WriteSegmentation(Utf8JsonWriter json, CocoRle mask)
    {
        json.WriteStartObject("segmentation");
        json.WriteStartArray("size");
        json.WriteNumberValue(mask.Height);
        json.WriteNumberValue(mask.Width);
        json.WriteEndArray();
        json.WriteString("counts", mask.ToString());
        json.WriteEndObject();
    }
}
