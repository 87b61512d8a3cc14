using System.Text.Json;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>A value of a JSON file that knows where it stands, so that what is wrong with it can be said.</summary>
/// <param name="Value">The value.</param>
/// <param name="Place">The file and the path to the value.</param>
internal readonly record struct LocatedJson(JsonElement Value, string Place)
{
    /// <summary>Deepest nesting that is read; the formats need at most seven.</summary>
    public const int MaxDepth = 32;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public bool IsObject => Value.ValueKind == JsonValueKind.Object;

    public bool IsArray => Value.ValueKind == JsonValueKind.Array;

    public bool IsText => Value.ValueKind == JsonValueKind.String;

    /// <summary>Parses a file or a part of it, and gives it to a reader.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, or not what the reader expects.</exception>
    public static T Parse<T>(ReadOnlyMemory<byte> json, string place, Func<LocatedJson, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(WithoutMark(json), new() { MaxDepth = MaxDepth });
            return read(new(document.RootElement, place));
        }
        catch (Exception e) when (IsMalformed(e))
        {
            throw NotJson(place, e);
        }
    }

    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> json) => json.Span.StartsWith(ByteOrderMark) ? json[3..] : json;

    /// <summary>Whether JSON's reader refused the text: an escaped half of a surrogate pair is found only when a text or name is looked at.</summary>
    public static bool IsMalformed(Exception e) => e is JsonException or InvalidOperationException;

    public static InvalidDataException NotJson(string place, Exception e) => new($"{place}: this is not JSON that can be read: {e.Message}", e);

    /// <summary>A property that must be there.</summary>
    public LocatedJson this[string name] => Find(name)
        ?? throw new InvalidDataException($"{Place}: there is no \"{name}\"; the format requires it.");

    /// <summary>A property, or null where it is missing or null.</summary>
    public LocatedJson? Find(string name)
    {
        if (!IsObject) throw Expected("an object");
        return Value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null ? new(found, $"{Place}.{name}") : null;
    }

    public IEnumerable<LocatedJson> Items()
    {
        if (!IsArray) throw Expected("an array");
        string place = Place;
        return Value.EnumerateArray().Select((item, i) => new LocatedJson(item, $"{place}[{i}]"));
    }

    public int Int() => Value.ValueKind == JsonValueKind.Number && Value.TryGetDouble(out double value) && Math.Floor(value) == value
        && Math.Abs(value) <= int.MaxValue ? (int)value : throw Expected("a whole number");

    public long Long() => Value.ValueKind == JsonValueKind.Number && Value.TryGetInt64(out long value) ? value : throw Expected("a whole number");

    public double Number() => Value.ValueKind == JsonValueKind.Number && Value.TryGetDouble(out double value) && double.IsFinite(value)
        ? value : throw Expected("a finite number");

    public string Text()
    {
        if (!IsText) throw Expected("a text");
        try
        {
            return Value.GetString()!;
        }
        catch (InvalidOperationException e)             // half of a surrogate pair
        {
            throw new InvalidDataException($"{Place}: the text is not valid Unicode.", e);
        }
    }

    public double[] Numbers() => [.. Items().Select(item => item.Number())];

    public InvalidDataException Expected(string what)
    {
        string found = Value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            _ => Value.GetRawText() is { Length: > 40 } long_ ? long_[..40] + "..." : Value.GetRawText(),
        };
        return new($"{Place}: this must be {what}; it is {found}.");
    }
}
