using System.Globalization;

namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>An image of the collection.</summary>
/// <param name="Id">Of the uploaded bytes: the same file twice is one item.</param>
/// <param name="Width">Pixels of the stored picture.</param>
/// <param name="Height">Pixels of the stored picture.</param>
/// <param name="Added">When it was uploaded.</param>
/// <param name="Label">The class that a person gave it, or null.</param>
/// <param name="ModelClass">What the served model, where it classifies, said of it.</param>
internal sealed record CollectionItem(Guid Id, int Width, int Height, DateTimeOffset Added, string? Label, Guess? ModelClass)
{
    private const string WidthName = "width", HeightName = "height", AddedName = "added", LabelName = "label", ClassName = "class",
        ConfidenceName = "confidence";

    /// <summary>Its key in the index.</summary>
    public string Key => Id.ToString("N");

    /// <summary>Reads an item back from the index; null where the index holds something else.</summary>
    public static CollectionItem? Read(string key, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null || !Guid.TryParseExact(key, "N", out var id)) return null;
        if (!int.TryParse(metadata.GetValueOrDefault(WidthName), CultureInfo.InvariantCulture, out int width)
            || !int.TryParse(metadata.GetValueOrDefault(HeightName), CultureInfo.InvariantCulture, out int height)
            || !DateTimeOffset.TryParse(metadata.GetValueOrDefault(AddedName), CultureInfo.InvariantCulture, out var added)) return null;
        bool guessed = float.TryParse(metadata.GetValueOrDefault(ConfidenceName), CultureInfo.InvariantCulture, out float confidence);
        return new(id, width, height, added, metadata.GetValueOrDefault(LabelName),
            guessed && metadata.TryGetValue(ClassName, out string? label) ? new(label, confidence) : null);
    }

    public Dictionary<string, string> Metadata()
    {
        var metadata = new Dictionary<string, string>
        {
            [WidthName] = Width.ToString(CultureInfo.InvariantCulture),
            [HeightName] = Height.ToString(CultureInfo.InvariantCulture),
            [AddedName] = Added.ToString("O", CultureInfo.InvariantCulture),
        };
        if (Label is not null) metadata[LabelName] = Label;
        if (ModelClass is not { } guess) return metadata;
        metadata[ClassName] = guess.Label;
        metadata[ConfidenceName] = guess.Confidence.ToString(CultureInfo.InvariantCulture);
        return metadata;
    }
}
