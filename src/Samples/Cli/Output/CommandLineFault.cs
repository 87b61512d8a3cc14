using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using MaskBias.MLNet.Samples.Cli.Options;

namespace MaskBias.MLNet.Samples.Cli.Output;

/// <summary>What is wrong with a command line, in one line: which option, what was given, what is allowed.</summary>
internal static class CommandLineFault
{
    /// <summary>Describes the first fault; null where there is none.</summary>
    public static string? Describe(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0) return null;
        // What was written and is not known says more than what is missing.
        if (parsed.UnmatchedTokens is [var unknown, ..]) return $"'{unknown}' is neither a command nor an option; --help lists them.";
        var error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult result => Of(result, result.Option, result.Option.ValueType, error),
            ArgumentResult { Parent: OptionResult result } => Of(result, result.Option, result.Option.ValueType, error),
            ArgumentResult result => Of(result, result.Argument, result.Argument.ValueType, error),
            CommandResult { Command: var command } when command.Subcommands.Count > 0 && command.Action is null =>
                $"{(command is RootCommand ? "maskbias" : command.Name)} needs a command: {Join(command.Subcommands.Select(c => c.Name))}.",
            _ => OneLine(error.Message),
        };
    }

    private static string Of(SymbolResult result, Symbol symbol, Type type, ParseError error)
    {
        string name = symbol.Name;
        if (error.Message.StartsWith(name, StringComparison.Ordinal)) return OneLine(error.Message);           // this tool's own
        string allowed = Allowed(type, symbol);
        return result.Tokens.Count switch
        {
            0 when result is OptionResult { Implicit: false } => $"{name} has no value: {symbol.Description}",
            0 => $"{name} is missing: {symbol.Description}",
            1 => $"{name} is '{result.Tokens[0].Value}'; it must be {allowed}.",
            _ => $"{name} is given {result.Tokens.Count} times: {Join(result.Tokens.Select(t => $"'{t.Value}'"))}; once is allowed.",
        };
    }

    // Names where there are some to choose from, else what the type takes.
    private static string Allowed(Type type, Symbol symbol)
    {
        string[] names = [.. symbol.GetCompletions(CompletionContext.Empty).Select(c => c.Label)];
        if (names.Length > 0) return "one of " + Join(names);
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        if (!OptionValue.IsKnown(kind) || kind == typeof(string)) return "text";
        _ = OptionValue.TryParse(kind, "\0", out _, out string expected);
        return expected;
    }

    private static string Join(IEnumerable<string> names) => string.Join(", ", names);

    private static string OneLine(string text) =>
        string.Join(" ", text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
