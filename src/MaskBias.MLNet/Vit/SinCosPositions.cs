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

    /// <summary>[1, 1 + grid², width]; the class token's is 0. Computed in double precision.</summary>
    /// <param name="width">Width of the tokens, a multiple of 4.</param>
    /// <param name="grid">Patches along a side.</param>
    public static Tensor Create(int width, int grid)
    {
        using var scope = NewDisposeScope();
        var place = arange(Number(0), Number(grid * grid), Number(1), dtype: ScalarType.Float64);
        var patches = cat([Code(place.remainder(Number(grid)), width / 2), Code((place / Number(grid)).floor(), width / 2)], dim: 1);
        var all = cat([zeros(1, width, dtype: ScalarType.Float64), patches]).unsqueeze(0);
        return all.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    // sin(ω_i·x) | cos(ω_i·x) with ω_i = 1/10000^(i/(channels/2)): [N, channels]
    private static Tensor Code(Tensor coordinate, int channels)
    {
        var exponent = arange(Number(0), Number(channels / 2), Number(1), dtype: ScalarType.Float64) / Number(channels / 2.0);
        var angle = outer(coordinate, (exponent * Number(-Math.Log(LongestPeriod))).exp());
        return cat([angle.sin(), angle.cos()], dim: 1);
    }
}
