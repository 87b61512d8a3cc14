using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace MaskBias.MLNet;

/// <summary>
/// Checks options classes by their <see cref="RangeAttribute"/>s, their choices and <see cref="IValidatableObject"/>; reports every fault at once.
/// </summary>
internal static class OptionsValidator
{
    /// <summary>Throws one exception that lists every option out of its range.</summary>
    /// <exception cref="ArgumentException">At least one option is invalid.</exception>
    public static T Validate<T>(T options) where T : class
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = Faults(options, prefix: "").ToList();
        if (faults.Count > 0)
            throw new ArgumentException($"{typeof(T).Name} cannot be used:{string.Concat(faults.Select(f => "\n  - " + f))}");
        return options;
    }

    /// <summary>Whether a type is one of this library's options classes, whose own options are looked at in turn.</summary>
    public static bool IsOptions(Type type) =>
        type.Name.EndsWith("Options", StringComparison.Ordinal) && type.Assembly == typeof(OptionsValidator).Assembly;

    private static IEnumerable<string> Faults(object options, string prefix)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length > 0) continue;
            var value = property.GetValue(options);
            foreach (var fault in property.GetCustomAttributes<ValidationAttribute>().Where(a => !a.IsValid(value)))
                yield return prefix + Describe(property.Name, value, fault);
            if (value is Enum choice && !IsKnown(choice))
                yield return $"{prefix}{property.Name} is {value}; it must be {OneOf(Enum.GetNames(value.GetType()))}.";
            if (value is not null && IsOptions(property.PropertyType))
            {
                foreach (var nested in Faults(value, $"{prefix}{property.Name}.")) yield return nested;
            }
        }
        if (options is IValidatableObject self)
        {
            foreach (var result in self.Validate(new ValidationContext(options)))
                yield return prefix + result.ErrorMessage;
        }
    }

    private static bool IsKnown(Enum choice) => choice.GetType().IsDefined(typeof(FlagsAttribute)) || Enum.IsDefined(choice.GetType(), choice);

    private static string OneOf(string[] names) => names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} or {names[^1]}";

    private static string Describe(string name, object? value, ValidationAttribute fault) => fault switch
    {
        { ErrorMessage: { } message } => $"{name} is {Print(value)}; {message}.",
        RangeAttribute range when IsUnbounded(range.Maximum) => $"{name} is {Print(value)}; it must be at least {Print(range.Minimum)}.",
        RangeAttribute range => $"{name} is {Print(value)}; it must lie in {Bound(range)}.",
        RequiredAttribute => $"{name} is not set; it is required.",
        _ => $"{name} is {Print(value)}; {fault.FormatErrorMessage(name)}",
    };

    private static bool IsUnbounded(object maximum) => maximum is int.MaxValue or double.MaxValue or double.PositiveInfinity;

    private static string Bound(RangeAttribute range) =>
        $"{(range.MinimumIsExclusive ? '(' : '[')}{Print(range.Minimum)}, {Print(range.Maximum)}{(range.MaximumIsExclusive ? ')' : ']')}";

    private static string Print(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Print))}]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
