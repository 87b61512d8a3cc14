namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>All options of one of the library's options classes, by name.</summary>
internal sealed class OptionSet<T> where T : class, new()
{
    /// <param name="without">Options that are not to be set: full names, or "*.Name" for those of nested classes.</param>
    public OptionSet(params string[] without) => Leaves = [.. OptionLeaf.Of(new T(), without)];

    /// <summary>The options, in the order of the class.</summary>
    public IReadOnlyList<OptionLeaf> Leaves { get; }

    /// <summary>Writes values into options.</summary>
    /// <param name="options">Receives them.</param>
    /// <param name="entries">Names and texts.</param>
    /// <param name="source">Where they stand, for the errors.</param>
    /// <param name="fault">Is told of each name that is no option, and of each value that is not of the option's type.</param>
    public void Apply(T options, IEnumerable<(string Name, string Text)> entries, string source, Action<string> fault)
    {
        foreach (var (name, text) in entries)
        {
            if (Leaves.FirstOrDefault(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } leaf)
            {
                fault($"{source}: '{name}' is no option of {typeof(T).Name}; {Nearest(name)}.");
                continue;
            }
            try
            {
                leaf.Set(options, text, $"{source}: {name}");
            }
            catch (UsageException e)
            {
                fault(e.Message);
            }
        }
    }

    /// <summary>Every option with the value in force.</summary>
    public IEnumerable<(string Name, string Value)> Values(T options) => Leaves.Select(l => (l.Name, l.Print(options)));

    private string Nearest(string name)
    {
        string last = name.Split('.')[^1];
        var same = Leaves.Where(l => l.Name.Split('.')[^1].Equals(last, StringComparison.OrdinalIgnoreCase)).Select(l => l.Name).ToList();
        return same.Count > 0 ? $"did you mean {string.Join(" or ", same)}?" : "--help lists them";
    }
}
