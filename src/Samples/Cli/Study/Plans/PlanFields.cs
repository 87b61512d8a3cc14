using System.Globalization;
using System.Text.Json;
using MaskBias.MLNet.Samples.Cli.Options;

namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>An object of a plan, read field by field; what is wrong is noted, with where it stands, and reading goes on.</summary>
internal sealed class PlanFields
{
    private readonly Dictionary<string, JsonElement> fields = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> known = [];
    private readonly string place;
    private readonly List<string> faults;

    /// <param name="json">The object; another value counts as an empty one.</param>
    /// <param name="place">Where it stands, for instance "Data."; empty for the plan itself.</param>
    /// <param name="faults">Receives what is wrong.</param>
    public PlanFields(JsonElement json, string place, List<string> faults)
    {
        (this.place, this.faults) = (place, faults);
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"{(place.Length == 0 ? "The plan" : place.TrimEnd('.'))} is a JSON {json.ValueKind}; it must be an object.");
            return;
        }
        foreach (var field in json.EnumerateObject())
        {
            if (!fields.TryAdd(field.Name, field.Value))
                faults.Add($"'{place}{field.Name}' is given twice, in capital or small letters; once is allowed.");
        }
    }

    public bool Has(string name) => Find(name) is not null;

    public string? Text(string name, bool required = false) =>
        Read(name, required, "text", v => v.ValueKind == JsonValueKind.String ? v.GetString() : null);

    public bool Flag(string name, bool byDefault) =>
        Read<bool?>(name, false, "true or false", v => v.ValueKind is JsonValueKind.True or JsonValueKind.False ? v.GetBoolean() : null)
            ?? byDefault;

    public double? Number(string name, double least, double most, bool required = false) => Read<double?>(
        name, required, Invariant($"a number in [{least}, {most}]"), v => Number(v, least, most));

    public long? Whole(string name, long least, long most, bool required = false) => Read<long?>(
        name, required, Invariant($"a whole number in [{least}, {most}]"), v => Whole(v, least, most));

    public IReadOnlyList<double> Numbers(string name, double least, double most, params double[] byDefault) => Read(
        name, false, Invariant($"a list of numbers in [{least}, {most}]"), v => List(v, e => Number(e, least, most))) ?? byDefault;

    public IReadOnlyList<long> Wholes(string name, long least, long most, params long[] byDefault) => Read(
        name, false, Invariant($"a list of whole numbers in [{least}, {most}]"), v => List(v, e => Whole(e, least, most))) ?? byDefault;

    public T? OneOf<T>(string name, bool required = false) where T : struct, Enum => Read<T?>(
        name, required, "one of " + string.Join(", ", Enum.GetNames<T>()),
        v => v.ValueKind == JsonValueKind.String && Enum.TryParse(v.GetString(), ignoreCase: true, out T value)
            && Enum.IsDefined(value) ? value : null);

    /// <summary>Options of a part of the library, by name.</summary>
    public IReadOnlyList<(string Name, string Text)> Options(string name) => Read(
        name, false, "an object of options", v => v.ValueKind == JsonValueKind.Object ? OptionEntries.Of(v) : null) ?? [];

    /// <summary>An object; null where there is none.</summary>
    public PlanFields? Object(string name, bool required = false) =>
        Read(name, required, "an object", v => v.ValueKind == JsonValueKind.Object ? new PlanFields(v, $"{place}{name}.", faults) : null);

    /// <summary>The objects of a list.</summary>
    public IReadOnlyList<PlanFields> Objects(string name, bool required = false) => Read(
        name, required, "a list of objects", v => v.ValueKind != JsonValueKind.Array ? null
            : v.EnumerateArray().Select((e, i) => new PlanFields(e, Invariant($"{place}{name}[{i}]."), faults)).ToList()) ?? [];

    /// <summary>Every field with its name.</summary>
    public IEnumerable<string> Names()
    {
        known.AddRange(fields.Keys);
        return fields.Keys;
    }

    /// <summary>Notes a fault of this object.</summary>
    public void Fault(string name, string text) => faults.Add($"{place}{name} {text}");

    /// <summary>Notes the fields that nothing has asked for.</summary>
    public void End()
    {
        foreach (string name in fields.Keys.Where(n => !known.Contains(n, StringComparer.OrdinalIgnoreCase)))
            faults.Add($"'{place}{name}' is not known; there may be {string.Join(", ", known)}.");
    }

    private T? Read<T>(string name, bool required, string expected, Func<JsonElement, T?> read)
    {
        known.Add(name);
        if (Find(name) is not { } value)
        {
            if (required) faults.Add($"{place}{name} is missing; it must be {expected}.");
            return default;
        }
        if (read(value) is { } result) return result;
        string text = value.GetRawText();
        faults.Add($"{place}{name} is {(text.Length > 60 ? text[..60] + "…" : text)}; it must be {expected}.");
        return default;
    }

    private JsonElement? Find(string name) => fields.TryGetValue(name, out var value)
        && value.ValueKind != JsonValueKind.Null ? value : null;

    private static T[]? List<T>(JsonElement value, Func<JsonElement, T?> read) where T : struct
    {
        if (value.ValueKind != JsonValueKind.Array) return null;
        T?[] list = [.. value.EnumerateArray().Select(read)];
        return list.Length > 0 && list.All(e => e is not null) ? [.. list.Select(e => e!.Value)] : null;
    }

    private static long? Whole(JsonElement value, long least, long most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most ? number : null;

    private static double? Number(JsonElement value, double least, double most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least
            && number <= most ? number : null;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
