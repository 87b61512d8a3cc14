using System.Text.Json;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Opens what a path names, recognising the format where none is given.</summary>
internal static class MaskSources
{
    /// <exception cref="InvalidDataException">The file is of another format, or of none that is known.</exception>
    /// <exception cref="IOException">The path does not exist or cannot be read.</exception>
    /// <exception cref="ArgumentException">The format does not go with a file, or with a folder.</exception>
    public static IMaskSource Open(LoadMasksOptions options)
    {
        var (path, format) = (options.Path, options.Format);
        bool isPerImage = format is MaskFileFormat.Sa1b or MaskFileFormat.LabelMap or MaskFileFormat.BinaryFolders;
        if (Directory.Exists(path))
        {
            return isPerImage || format == MaskFileFormat.Auto ? new PerImageMasks(path, format, [.. options.BackgroundLabels])
                : throw new ArgumentException($"'{path}' is a folder; {format} is one JSON file for all images.");
        }
        byte[] bytes = MaskFileBytes.Read(path);
        if (format == MaskFileFormat.Auto) format = Recognize(bytes, path);
        return format switch
        {
            MaskFileFormat.Sa1b => new OneImagesMasks(path, Sa1bFile.Parse(bytes, path)),
            MaskFileFormat.Coco => FromCoco(CocoFile.Parse(bytes, path), path),
            MaskFileFormat.CocoPanoptic => FromPanoptic(CocoPanopticFile.Parse(bytes, path, options.PanopticFolder), path),
            _ => throw new ArgumentException($"'{path}' is a file; {format} needs the folder that holds a file or folder per image."),
        };
    }

    /// <summary>Tells a JSON file's format by its first names.</summary>
    public static MaskFileFormat Recognize(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            var reader = new Utf8JsonReader(LocatedJson.WithoutMark(json).Span, new JsonReaderOptions { MaxDepth = LocatedJson.MaxDepth });
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray)
                return !reader.Read() || reader.TokenType != JsonTokenType.StartObject || Names(ref reader, "image_id"u8, ""u8, ""u8) >= 0
                    ? MaskFileFormat.Coco : MaskFileFormat.Sa1b;
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                switch (Names(ref reader, "image"u8, "annotations"u8, "masklet"u8))
                {
                    case 0:
                        return MaskFileFormat.Sa1b;
                    case 1:
                        return IsPanoptic(ref reader) ? MaskFileFormat.CocoPanoptic : AnyImage(ref reader) ? MaskFileFormat.Sa1b : MaskFileFormat.Coco;
                    case 2:
                        throw new InvalidDataException($"{path}: this holds the masks of a video's frames, which rows of images do not name; read it with SavFile.");
                }
            }
        }
        catch (Exception e) when (LocatedJson.IsMalformed(e))
        {
            throw LocatedJson.NotJson(path, e);
        }
        throw new InvalidDataException($"{path}: this is no mask file that is known: it must be SA-1B, COCO instances or results, or COCO panoptic JSON.");
    }

    private static ListedMasks FromCoco(CocoFile file, string path) => new(path, file.FindImage, file.ReadMasks);

    private static ListedMasks FromPanoptic(CocoPanopticFile file, string path) => new(path, file.FindImage, file.ReadMasks);

    // Goes to the value of the first of some names in an object; -1 where it has none of them.
    private static int Names(ref Utf8JsonReader reader, ReadOnlySpan<byte> zero, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int found = reader.ValueTextEquals(zero) ? 0 : !one.IsEmpty && reader.ValueTextEquals(one) ? 1 : !two.IsEmpty && reader.ValueTextEquals(two) ? 2 : -1;
            reader.Read();
            if (found >= 0) return found;
            reader.Skip();
        }
        return -1;
    }

    // At the value of "annotations": whether its first element has segments. The reader is left there.
    private static bool IsPanoptic(ref Utf8JsonReader reader)
    {
        var ahead = reader;
        return ahead.TokenType == JsonTokenType.StartArray && ahead.Read() && ahead.TokenType == JsonTokenType.StartObject
            && Names(ref ahead, "segments_info"u8, ""u8, ""u8) >= 0;
    }

    // Past the value of "annotations": whether "image" follows.
    private static bool AnyImage(ref Utf8JsonReader reader)
    {
        reader.Skip();
        return Names(ref reader, "image"u8, ""u8, ""u8) >= 0;
    }
}
