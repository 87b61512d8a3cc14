using System.Collections;
using System.Globalization;
using System.Reflection;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Training.Output;

/// <summary>Options as names and texts: <c>Encoder.Depth</c> is <c>12</c>. For run.json, and to compare two runs by name.</summary>
internal static class OptionsDescription
{
    /// <summary>Describes every option that bears on what is computed.</summary>
    public static IReadOnlyDictionary<string, string> Of(object options) =>
        new SortedDictionary<string, string>(Describe(options, "").ToDictionary(), StringComparer.Ordinal);

    /// <summary>Describes one option, and what is in it.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(string name, object? value) =>
        value is not null && OptionsValidator.IsOptions(value.GetType()) ? Describe(value, name + ".") : [new(name, Print(value))];

    private static IEnumerable<KeyValuePair<string, string>> Describe(object options, string prefix)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || property.IsDefined(typeof(FreeOnResumeAttribute))) continue;
            foreach (var described in Of(prefix + property.Name, property.GetValue(options))) yield return described;
        }
    }

    private static string Print(object? value) => value switch
    {
        null => "null",
        string text => text,
        VisionEncoder encoder => $"weights {Fingerprint.Of(encoder)}",
        IEnumerable list => string.Join(", ", list.Cast<object?>().Select(Print)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
