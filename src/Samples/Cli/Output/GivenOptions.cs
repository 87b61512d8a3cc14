using System.CommandLine;

namespace MaskBias.MLNet.Samples.Cli.Output;

/// <summary>Options as they were given, to be written into another command.</summary>
internal static class GivenOptions
{
    /// <summary>Those of the options that were given, each behind a space.</summary>
    public static string Text(ParseResult parsed, params IEnumerable<Option> options) => string.Concat(options.Select(option =>
        parsed.GetResult(option) is { Implicit: false } given ? $" {option.Name} {string.Join(' ', given.Tokens.Select(t => Quoted(t.Value)))}" : ""));

    /// <summary>A value, in quotes where a shell would take it apart.</summary>
    public static string Quoted(string value) => value.Any(char.IsWhiteSpace) ? $"\"{value}\"" : value;
}
