using Microsoft.ML;

namespace MaskBias.MLNet.RowMapping;

/// <summary>The columns asked of a mapped cursor or row.</summary>
/// <param name="Output">By index of the output schema.</param>
/// <param name="Computes">Whether a column that the mapping adds is among them.</param>
/// <param name="Inputs">What the input must therefore give.</param>
internal sealed record ActiveColumns(bool[] Output, bool Computes, IReadOnlyList<DataViewSchema.Column> Inputs)
{
    public void Check(DataViewSchema.Column column)
    {
        if (column.Index >= Output.Length || !Output[column.Index])
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor: name it among the columns needed.");
    }

    /// <summary>Casts a getter to the type that the caller asks for.</summary>
    public static ValueGetter<T> Cast<T>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<T>
        ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}; its values cannot be read as {typeof(T)}.");
}
