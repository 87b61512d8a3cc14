using System.Text.Json;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// Where a COCO file says something of which image. Annotations are parsed only when they are asked for, since files of hundreds of
/// megabytes are usual.
/// </summary>
internal sealed class CocoIndex
{
    private readonly ReadOnlyMemory<byte> json;
    private readonly Dictionary<long, CocoImage> images = [];
    private readonly Dictionary<long, List<(int Number, int Start, int Length)>> annotations = [];
    private readonly ImageNames names = new();

    public CocoIndex(ReadOnlyMemory<byte> json, string name)
    {
        (this.json, Name) = (LocatedJson.WithoutMark(json), name);
        try
        {
            Scan();
        }
        catch (Exception e) when (LocatedJson.IsMalformed(e))
        {
            throw LocatedJson.NotJson(name, e);
        }
    }

    public string Name { get; }

    public IReadOnlyCollection<CocoImage> Images => images.Values;

    /// <summary>Images that have annotations; results list no others.</summary>
    public IReadOnlyCollection<long> AnnotatedImages => annotations.Keys;

    public CocoImage? Image(long id) => images.GetValueOrDefault(id);

    /// <summary>Finds an image by name or, where the file lists no images (results), by the digits at the end of the name.</summary>
    public long? Find(string imagePath)
    {
        if (images.Count > 0) return names.Find(imagePath);
        string stem = Path.GetFileNameWithoutExtension(imagePath);
        return long.TryParse(stem.AsSpan(stem.AsSpan().LastIndexOfAnyExceptInRange('0', '9') + 1), out long id) && annotations.ContainsKey(id) ? id : null;
    }

    /// <summary>Parses an image's annotations, in the file's order.</summary>
    public IEnumerable<T> Read<T>(long imageId, Func<LocatedJson, T> read) =>
        (annotations.GetValueOrDefault(imageId) ?? []).Select(a => LocatedJson.Parse(json.Slice(a.Start, a.Length), $"{Name}: annotations[{a.Number}]", read));

    private void Scan()
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = LocatedJson.MaxDepth });
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            ScanAnnotations(ref reader);
        }
        else
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw Unexpected("an object or an array");
            bool found = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isImages = reader.ValueTextEquals("images"), isAnnotations = reader.ValueTextEquals("annotations");
                reader.Read();
                if (isImages) ScanImages(ref reader);
                else if (isAnnotations) ScanAnnotations(ref reader);
                else reader.Skip();
                found |= isAnnotations;
            }
            if (!found) throw new InvalidDataException($"{Name}: there is no \"annotations\"; a COCO file needs it.");
        }
        if (reader.Read()) throw new InvalidDataException($"{Name}: something follows the end of the JSON.");
    }

    private void ScanImages(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Unexpected("an array of images");
        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            var image = LocatedJson.Parse(json[start..(int)reader.BytesConsumed], $"{Name}: images[{i}]", ReadImage);
            images[image.Id] = image;
            names.Add(image.FileName, image.Id);
        }
    }

    private static CocoImage ReadImage(LocatedJson image)
    {
        var read = new CocoImage(image["id"].Long(), image["file_name"].Text(), image["height"].Int(), image["width"].Int());
        return MaskSet.SizeFault(read.Height, read.Width) is { } fault ? throw new InvalidDataException($"{image.Place}: {fault}") : read;
    }

    private void ScanAnnotations(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Unexpected("an array of annotations");
        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            int start = (int)reader.TokenStartIndex;
            if (reader.TokenType != JsonTokenType.StartObject) throw Unexpected($"an object as annotation {i}");
            long? imageId = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isImageId = reader.ValueTextEquals("image_id");
                reader.Read();
                if (isImageId) imageId = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long id) ? id : throw Unexpected($"a whole number as image_id of annotation {i}");
                reader.Skip();
            }
            if (imageId is not { } image) throw new InvalidDataException($"{Name}: annotations[{i}] has no \"image_id\"; a COCO file needs it.");
            if (!annotations.TryGetValue(image, out var list)) annotations.Add(image, list = []);
            list.Add((i, start, (int)reader.BytesConsumed - start));
        }
    }

    private InvalidDataException Unexpected(string expected) => new($"{Name}: a COCO file must have {expected}.");
}
