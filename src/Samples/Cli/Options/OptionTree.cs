using System.CommandLine;
using System.Text.Json;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>
/// All options of one of the library's options classes on a command line, and in a JSON file of the same names; the command line wins over
/// the file, and the file over the defaults.
/// </summary>
internal sealed class OptionTree<T> where T : class, new()
{
    private static readonly JsonDocumentOptions Lenient =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    private readonly IReadOnlyList<OptionLeaf> leaves;

    private readonly Option<string?> config = new("--config")
    {
        Description = "A JSON file of options by their names in the library, such as { \"Epochs\": 50, \"Head\": { \"OutDim\": 1024 } }.",
        HelpName = "file",
    };

    /// <param name="command">Receives the options.</param>
    /// <param name="without">Options that the command sets by itself: full names, or "*.Name" for those of nested classes.</param>
    public OptionTree(Command command, params string[] without)
    {
        leaves = [.. OptionLeaf.Of(new T(), without)];
        command.Add(config);
        foreach (var leaf in leaves) command.Add(leaf.Option);
    }

    /// <summary>Writes what the file and the command line say into options.</summary>
    /// <exception cref="UsageException">The file cannot be read, or it names what is no option.</exception>
    public void Apply(ParseResult parsed, T options)
    {
        if (parsed.GetValue(config) is { } path)
        {
            foreach (var (name, text) in Entries(path))
            {
                var leaf = leaves.FirstOrDefault(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    ?? throw new UsageException($"{path}: '{name}' is no option of {typeof(T).Name}; {Nearest(name)}.");
                leaf.Set(options, text, $"{path}: {name}");
            }
        }
        foreach (var leaf in leaves)
        {
            if (parsed.GetValue(leaf.Option) is { } text) leaf.Set(options, text, leaf.Option.Name);
        }
    }

    /// <summary>Whether an option was given, on the command line or in the file.</summary>
    public bool IsGiven(ParseResult parsed, string name) =>
        leaves.Any(l => l.Name == name && parsed.GetValue(l.Option) is not null)
        || (parsed.GetValue(config) is { } path && Entries(path).Any(e => e.Name.Equals(name, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Every option with the value in force.</summary>
    public IEnumerable<(string Name, string Value)> Values(T options) => leaves.Select(l => (l.Name, l.Print(options)));

    private string Nearest(string name)
    {
        string last = name.Split('.')[^1];
        var same = leaves.Where(l => l.Name.Split('.')[^1].Equals(last, StringComparison.OrdinalIgnoreCase)).Select(l => l.Name).ToList();
        return same.Count > 0 ? $"did you mean {string.Join(" or ", same)}?" : "--help lists them";
    }

    private static List<(string Name, string Text)> Entries(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new UsageException($"{path} is a JSON {json.RootElement.ValueKind}; it must be an object of options.");
            return [.. Flatten(json.RootElement, "")];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException($"{path} cannot be read as a configuration: {e.Message}");
        }
    }

    private static IEnumerable<(string, string)> Flatten(JsonElement element, string prefix) =>
        element.EnumerateObject().SelectMany(p => p.Value.ValueKind switch
        {
            JsonValueKind.Object => Flatten(p.Value, $"{prefix}{p.Name}."),
            JsonValueKind.Array => [(prefix + p.Name, string.Join(',', p.Value.EnumerateArray().Select(v => v.ToString())))],
            JsonValueKind.Null => [(prefix + p.Name, "null")],
            _ => (IEnumerable<(string, string)>)[(prefix + p.Name, p.Value.ToString())],
        });
}
