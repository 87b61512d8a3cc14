using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>One option of an options class or of one within it: <c>Head.OutDim</c> is <c>--head-out-dim</c>.</summary>
internal sealed partial class OptionLeaf
{
    private readonly PropertyInfo[] path;

    private OptionLeaf(PropertyInfo[] path, object? value)
    {
        this.path = path;
        Name = string.Join('.', path.Select(p => p.Name));
        Option = new("--" + Words().Replace(Name.Replace(".", "", StringComparison.Ordinal), "-$1").ToLowerInvariant())
        {
            Description = $"{OptionDocs.Summary(path[^1])} [{OptionValue.Print(value)}]", HelpName = Kind(Type),
        };
        OptionValue.Require(Type, Option);
    }

    /// <summary>The option's name in the library, with points between those of nested classes.</summary>
    public string Name { get; }

    /// <summary>The option on the command line.</summary>
    public Option<string?> Option { get; }

    private Type Type => path[^1].PropertyType;

    /// <summary>All options of a class that can be written as text, in its order.</summary>
    /// <param name="options">An instance with the defaults, which help shows.</param>
    /// <param name="without">Names, or beginnings of them, that are left out.</param>
    public static IEnumerable<OptionLeaf> Of(object options, IReadOnlyCollection<string> without) => Of(options, [], without);

    private static IEnumerable<OptionLeaf> Of(object options, PropertyInfo[] path, IReadOnlyCollection<string> without)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            PropertyInfo[] here = [.. path, property];
            string name = string.Join('.', here.Select(p => p.Name));
            if (!property.CanWrite || property.SetMethod?.IsPublic != true || without.Contains(name) || without.Contains("*." + property.Name)) continue;
            if (OptionValue.IsKnown(property.PropertyType)) yield return new(here, property.GetValue(options));
            else if (IsOptions(property.PropertyType))
            {
                foreach (var leaf in Of(property.GetValue(options) ?? Activator.CreateInstance(property.PropertyType)!, here, without)) yield return leaf;
            }
        }
    }

    /// <summary>Writes a value.</summary>
    /// <param name="options">The options class that it belongs to.</param>
    /// <param name="text">The value.</param>
    /// <param name="source">What it stands in, for the error.</param>
    /// <exception cref="UsageException">It is not of the option's type.</exception>
    public void Set(object options, string text, string source)
    {
        if (!OptionValue.TryParse(Type, text, out var value, out string expected)) throw new UsageException($"{source} is '{text}'; it must be {expected}.");
        object owner = options;
        foreach (var property in path[..^1])
        {
            var next = property.GetValue(owner);
            if (next is null) property.SetValue(owner, next = Activator.CreateInstance(property.PropertyType)!);
            owner = next;
        }
        path[^1].SetValue(owner, value);
    }

    /// <summary>The value in force; "null" also where the class around it is not set.</summary>
    public string Print(object options)
    {
        object? value = options;
        foreach (var property in path) value = value is null ? null : property.GetValue(value);
        return OptionValue.Print(value);
    }

    private static bool IsOptions(Type type) =>
        type.Name.EndsWith("Options", StringComparison.Ordinal) && type.Assembly == typeof(MaskBias.MLNet.Vit.VitOptions).Assembly
        && type.GetConstructor(Type.EmptyTypes) is not null;

    private static string Kind(Type type)
    {
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        return kind.IsEnum ? string.Join('|', Enum.GetNames(kind)) : kind == typeof(string) ? "text" : kind == typeof(bool) ? "true|false"
            : kind == typeof(int) ? "count" : kind == typeof(double) ? "number" : kind == typeof(double[]) ? "numbers" : "device";
    }

    [GeneratedRegex("(?<=[a-z0-9])([A-Z])")]
    private static partial Regex Words();
}
