using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// The fixed two-dimensional position embedding of MAE (He et al., CVPR 2022): half of the channels code the patch's column, half its row,
/// each as sines followed by cosines (Vaswani et al., 2017).
/// </summary>
internal static class SinCosPositions
{
    private const double LongestPeriod = 10_000;

    /// <summary>[1, 1 + grid², width]; the class token's is 0.</summary>
    /// <param name="width">Width of the tokens, a multiple of 4.</param>
    /// <param name="grid">Patches along a side.</param>
    public static Tensor Create(int width, int grid)
    {
        using var scope = NewDisposeScope();
        var all = zeros(1, 1 + grid * grid, width, dtype: ScalarType.Float32);
        var patches = all[.., 1..].view(grid, grid, width);               // a view of all, row by row
        var code = Code(grid, width / 2);
        patches[.., .., ..(width / 2)].copy_(code.unsqueeze(0));
        patches[.., .., (width / 2)..].copy_(code.unsqueeze(1));
        return all.MoveToOuterDisposeScope();
    }

    /// <summary>Whether positions are those of <see cref="Create"/>, but for a tolerance. Compared row of patches by row, in little memory.</summary>
    /// <param name="positions">[1, 1 + grid², width], of any floating type.</param>
    /// <param name="grid">Patches along a side.</param>
    /// <param name="tolerance">Largest difference, exclusive.</param>
    public static bool Are(Tensor positions, int grid, double tolerance)
    {
        using var scope = NewDisposeScope();
        int half = (int)positions.shape[2] / 2;
        if (positions[0, 0].count_nonzero().item<long>() != 0) return false;
        var code = Code(grid, half);
        for (int row = 0; row < grid; row++)
        {
            using var step = NewDisposeScope();
            var patches = positions[0, (1 + row * grid)..(1 + (row + 1) * grid)].to_type(ScalarType.Float32);
            if (!IsNear(patches[.., ..half], code) || !IsNear(patches[.., half..], code[row])) return false;
        }
        return true;

        bool IsNear(Tensor stored, Tensor expected) => (stored - expected).abs_().max().item<float>() < tolerance;
    }

    // sin(ω_i·x) | cos(ω_i·x) with ω_i = 1/10000^(i/(channels/2)), for x = 0, 1, … : [count, channels], computed in double precision.
    private static Tensor Code(int count, int channels)
    {
        using var scope = NewDisposeScope();
        var place = arange(Number(0), Number(count), Number(1), dtype: ScalarType.Float64);
        var exponent = arange(Number(0), Number(channels / 2), Number(1), dtype: ScalarType.Float64) / Number(channels / 2.0);
        var angle = outer(place, (exponent * Number(-Math.Log(LongestPeriod))).exp());
        return cat([angle.sin(), angle.cos()], dim: 1).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
