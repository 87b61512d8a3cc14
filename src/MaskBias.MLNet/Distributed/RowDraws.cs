using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>
/// Draws random numbers for the rows of a batch. Where the batch is spread over ranks, each draws those of all rows and keeps its own, so that
/// what a row gets does not depend on the number of ranks.
/// </summary>
internal sealed class RowDraws(Generator generator)
{
    public Generator Generator => generator;

    /// <summary>The rows that this process has; null for all of them.</summary>
    public OwnRows? Own { get; set; }

    /// <summary>Uniform numbers in [0, 1) on the CPU, [rows, ...].</summary>
    /// <param name="rows">Own rows, of several views perhaps.</param>
    /// <param name="rest">The other dimensions.</param>
    public Tensor Uniform(long rows, params long[] rest)
    {
        if (Own is null) return rand([rows, .. rest], generator: generator);
        long[] places = Own.InViews(rows);
        using var all = rand([rows / Own.Positions.Length * Own.Whole, .. rest], generator: generator);
        using var index = tensor(places);
        return all.index_select(0, index);
    }
}
