using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The schema after a mapping: the input's columns, then the mapping's.</summary>
internal sealed class RowBindings
{
    public RowBindings(DataViewSchema input, IRowMapping mapping)
    {
        (Input, Mapping) = (input, mapping);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumns(mapping.Outputs);
        Output = builder.ToSchema();
    }

    public DataViewSchema Input { get; }

    public DataViewSchema Output { get; }

    public IRowMapping Mapping { get; }

    /// <summary>Whether a column of <see cref="Output"/> comes from the input.</summary>
    public bool IsPassedThrough(DataViewSchema.Column column) => column.Index < Input.Count;

    /// <summary>Works out what must be active in the input for some columns of <see cref="Output"/>.</summary>
    public ActiveColumns Activate(IEnumerable<DataViewSchema.Column> needed)
    {
        var output = new bool[Output.Count];
        foreach (var column in needed) output[column.Index] = true;
        bool computes = output.AsSpan(Input.Count).Contains(true);
        var reads = computes ? Mapping.Inputs.Select(c => c.Index).ToHashSet() : [];
        return new(output, computes, [.. Input.Where(c => output[c.Index] || reads.Contains(c.Index))]);
    }
}
