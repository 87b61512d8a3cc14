using System.CommandLine;
using System.Text.Json;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>
/// All options of one of the library's options classes on a command line, and in a JSON file of the same names; the command line wins over
/// the file, and the file over the defaults.
/// </summary>
internal sealed class OptionTree<T> where T : class, new()
{
    private readonly OptionSet<T> set;

    private readonly Option<string?> config = new("--config")
    {
        Description = "A JSON file of options by their names in the library, such as { \"Epochs\": 50, \"Head\": { \"OutDim\": 1024 } }.",
        HelpName = "file",
    };

    /// <param name="command">Receives the options.</param>
    /// <param name="without">Options that the command sets by itself: full names, or "*.Name" for those of nested classes.</param>
    public OptionTree(Command command, params string[] without)
    {
        set = new(without);
        command.Add(config);
        foreach (var leaf in set.Leaves) command.Add(leaf.Option);
    }

    /// <summary>Writes what the file and the command line say into options.</summary>
    /// <exception cref="UsageException">The file cannot be read, or it names what is no option.</exception>
    public void Apply(ParseResult parsed, T options)
    {
        if (parsed.GetValue(config) is { } path) set.Apply(options, Entries(path), path, fault => throw new UsageException(fault));
        foreach (var leaf in set.Leaves)
        {
            if (parsed.GetValue(leaf.Option) is { } text) leaf.Set(options, text, leaf.Option.Name);
        }
    }

    /// <summary>Whether an option, or one within it, was given, on the command line or in the file.</summary>
    public bool IsGiven(ParseResult parsed, string name)
    {
        return set.Leaves.Any(l => IsIt(l.Name) && parsed.GetValue(l.Option) is not null)
            || (parsed.GetValue(config) is { } path && Entries(path).Any(e => IsIt(e.Name)));

        bool IsIt(string known) => known.Equals(name, StringComparison.OrdinalIgnoreCase) || known.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Every option with the value in force.</summary>
    public IEnumerable<(string Name, string Value)> Values(T options) => set.Values(options);

    private static IReadOnlyList<(string Name, string Text)> Entries(string path)
    {
        using var json = OptionEntries.Read(path, "a configuration");
        if (json.RootElement.ValueKind != JsonValueKind.Object)
            throw new UsageException($"{path} is a JSON {json.RootElement.ValueKind}; it must be an object of options.");
        return OptionEntries.Of(json.RootElement);
    }
}
