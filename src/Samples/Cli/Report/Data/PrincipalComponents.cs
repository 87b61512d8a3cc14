using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Principal component analysis.</summary>
internal static class PrincipalComponents
{
    /// <summary>The coordinates of rows along their directions of largest variance.</summary>
    /// <param name="rows">Rows of one length, at least one.</param>
    /// <param name="count">How many directions.</param>
    /// <returns>[rows][count], centred; 0 along directions that there are not.</returns>
    /// <remarks>A direction's sign is chosen so that its largest weight is positive: the same rows give the same coordinates.</remarks>
    public static float[][] Of(IReadOnlyList<float[]> rows, int count)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int width = rows[0].Length, known = Math.Min(count, Math.Min(rows.Count, width));
        var values = tensor(rows.SelectMany(row => row).ToArray()).view(rows.Count, width);
        values -= values.mean([0], keepdim: true);
        var (_, _, directions) = linalg.svd(values, fullMatrices: false);                           // [min(n, D), D]
        directions = directions[..known];
        var largest = directions.gather(1, directions.abs().argmax(1, keepdim: true));
        var coordinates = values.matmul((directions * largest.sign()).T);
        if (known < count) coordinates = nn.functional.pad(coordinates, [0, count - known]);
        return [.. coordinates.contiguous().data<float>().ToArray().Chunk(count)];
    }
}
