using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>Applies a mapping to single rows: what a PredictionEngine uses.</summary>
internal sealed class RowMapper(DataViewSchema input, IRowMapping mapping) : IRowToRowMapper
{
    private readonly RowBindings bindings = new(input, mapping);

    public DataViewSchema InputSchema => bindings.Input;

    public DataViewSchema OutputSchema => bindings.Output;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        bindings.Activate(dependingColumns).Inputs;

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) =>
        new MappedRow(bindings, input, bindings.Activate(activeColumns));
}
