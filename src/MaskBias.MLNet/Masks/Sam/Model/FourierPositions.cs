using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Positions as sines and cosines of random frequencies (Tancik et al., NeurIPS 2020).</summary>
internal sealed class FourierPositions : nn.Module<Tensor, Tensor>
{
    private readonly Tensor positional_encoding_gaussian_matrix;        // [2, P/2]

    public FourierPositions(int width) : base(nameof(FourierPositions))
    {
        positional_encoding_gaussian_matrix = randn(2, width / 2);
        RegisterComponents();
    }

    // (x, y) in [0, 1], [..., 2] -> [..., P]
    public override Tensor forward(Tensor coordinates)
    {
        using var scope = NewDisposeScope();
        var centered = Number(2) * coordinates.to_type(ScalarType.Float32) - Number(1);
        var angles = matmul(centered, positional_encoding_gaussian_matrix) * Number(2 * Math.PI);
        return cat([sin(angles), cos(angles)], dim: -1).MoveToOuterDisposeScope();
    }

    /// <summary>Those of the centres of a grid's cells, [1, P, side, side].</summary>
    public Tensor Grid(int side)
    {
        using var scope = NewDisposeScope();
        var steps = arange(Number(0), Number(side), Number(1), dtype: ScalarType.Float32, device: positional_encoding_gaussian_matrix.device);
        var centers = Sum(steps, Number(0.5)) / Number(side);
        var coordinates = stack([centers.unsqueeze(0).expand(side, side), centers.unsqueeze(1).expand(side, side)], dim: -1);
        return forward(coordinates).permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }
}
