namespace MaskBias.MLNet.RowMapping;

/// <summary>The rows that one cursor computes together. Not thread-safe.</summary>
internal interface IRowBatch
{
    /// <summary>Takes what the computation needs from the input's current row.</summary>
    void Read(int slot);

    /// <summary>Computes the outputs of the slots 0 to <paramref name="count"/> - 1.</summary>
    void Compute(int count);

    /// <summary>A <see cref="Microsoft.ML.ValueGetter{TValue}"/> of an output column.</summary>
    /// <param name="output">Index among <see cref="IRowMapping.Outputs"/>.</param>
    /// <param name="slot">Gives the computed slot to take the value from.</param>
    Delegate Getter(int output, Func<int> slot);
}
