using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The error for a column that is not there: it says which ones are.</summary>
internal static class MissingColumn
{
    public static ArgumentException Error(DataViewSchema schema, string name, string purpose) =>
        Error(schema.Where(c => !c.IsHidden).Select(c => c.Name), name, purpose);

    public static ArgumentException Error(SchemaShape schema, string name, string purpose) => Error(schema.Select(c => c.Name), name, purpose);

    private static ArgumentException Error(IEnumerable<string> existing, string name, string purpose) =>
        new($"There is no column '{name}' to read {purpose} from; the columns are {string.Join(", ", existing.Select(c => $"'{c}'"))}.");
}
