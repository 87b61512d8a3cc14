using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>Values of options as text, on the command line and in a configuration.</summary>
internal static class OptionValue
{
    /// <summary>Whether options of this type can be written as text.</summary>
    public static bool IsKnown(Type type)
    {
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        return kind.IsEnum || kind == typeof(string) || kind == typeof(bool) || kind == typeof(int) || kind == typeof(double)
            || kind == typeof(double[]) || kind == typeof(ComputeDevice);
    }

    /// <summary>Reads a value.</summary>
    /// <param name="type">A type that <see cref="IsKnown"/>.</param>
    /// <param name="text">The text; "null" is none where that is allowed.</param>
    /// <param name="value">The value.</param>
    /// <param name="expected">What it must be.</param>
    public static bool TryParse(Type type, string text, out object? value, out string expected)
    {
        value = null;
        var kind = Nullable.GetUnderlyingType(type);
        if (text.Equals("null", StringComparison.OrdinalIgnoreCase) && (kind is not null || type == typeof(string) || type == typeof(double[])))
        {
            expected = "";
            return true;
        }
        kind ??= type;
        (value, expected) = kind switch
        {
            _ when kind == typeof(string) => (text, ""),
            _ when kind == typeof(bool) => (bool.TryParse(text, out bool truth) ? truth : null, "true or false"),
            _ when kind == typeof(int) => (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int whole) ? whole : null, "a whole number"),
            _ when kind == typeof(double) => (Number(text), "a number"),
            _ when kind == typeof(double[]) => (Numbers(text), "numbers with commas between them"),
            _ when kind == typeof(ComputeDevice) => ((object?)Device(text), "auto, cpu, cuda or cuda:N"),
            _ => (Enum.TryParse(kind, text, ignoreCase: true, out var named) && Enum.IsDefined(kind, named) ? named : null, "one of " + string.Join(", ", Enum.GetNames(kind))),
        };
        return value is not null;
    }

    /// <summary>Lets an option of the command line take values of a type alone.</summary>
    public static void Require(Type type, Option option) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !TryParse(type, token.Value, out _, out string expected))
            result.AddError($"{option.Name} is '{token.Value}'; it must be {expected}.");
    });

    /// <summary>A value as <see cref="TryParse"/> reads it.</summary>
    public static string Print(object? value) => value switch
    {
        null => "null",
        double[] list => string.Join(",", list.Select(v => v.ToString(CultureInfo.InvariantCulture))),
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static object? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;

    private static double[]? Numbers(string text)
    {
        object?[] parts = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Number)];
        return parts.All(p => p is not null) ? [.. parts.Cast<double>()] : null;
    }

    private static ComputeDevice? Device(string text) => text.ToUpperInvariant() switch
    {
        "AUTO" => ComputeDevice.Auto,
        "CPU" => ComputeDevice.Cpu,
        "CUDA" => ComputeDevice.Cuda(),
        ['C', 'U', 'D', 'A', ':', .. var index] when int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int number) => ComputeDevice.Cuda(number),
        _ => null,
    };
}
