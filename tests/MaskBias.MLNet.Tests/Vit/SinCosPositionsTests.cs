using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

public class SinCosPositionsTests
{
    [Theory]
    [InlineData(4, 1)]
    [InlineData(24, 4)]
    [InlineData(192, 6)]
    [InlineData(512, 14)]
    [InlineData(768, 24)]
    [InlineData(1280, 16)]
    [InlineData(20, 63)]
    public void Each_patch_has_the_codes_of_its_column_and_row_bit_for_bit(int width, int grid)
    {
        using var scope = NewDisposeScope();
        var positions = SinCosPositions.Create(width, grid);
        Assert.True(Formula(width, grid).bytes.SequenceEqual(positions.bytes));
        Assert.True(SinCosPositions.Are(positions, grid, 1e-7));
        Assert.True(SinCosPositions.Are(positions.to_type(ScalarType.Float64), grid, 1e-7));
    }

    [Theory]
    [InlineData(0, 23)]
    [InlineData(1, 0)]
    [InlineData(9, 23)]
    public void One_value_that_is_another_is_seen(int row, int channel)
    {
        using var scope = NewDisposeScope();
        var positions = SinCosPositions.Create(24, 3);
        positions[0, row, channel] = positions[0, row, channel] + 0.001f;
        Assert.False(SinCosPositions.Are(positions, 3, 1e-5));
        Assert.True(SinCosPositions.Are(positions, 3, 0.01) || row == 0);
        positions[0, row, channel] = float.NaN;
        Assert.False(SinCosPositions.Are(positions, 3, 1e-5));
    }

    [Fact]
    public void Nothing_native_is_left_behind()
    {
        using var positions = SinCosPositions.Create(24, 3);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        SinCosPositions.Create(24, 3).Dispose();
        SinCosPositions.Are(positions, 3, 1e-5);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    // The table as a whole, as MAE's code computes it.
    private static Tensor Formula(int width, int grid)
    {
        var place = arange(0, grid * grid, 1, dtype: ScalarType.Float64);
        var patches = cat([Code(place.remainder(grid)), Code((place / grid).floor())], dim: 1);
        return cat([zeros(1, width, dtype: ScalarType.Float64), patches]).unsqueeze(0).to_type(ScalarType.Float32);

        Tensor Code(Tensor coordinate)
        {
            var exponent = arange(0, width / 4, 1, dtype: ScalarType.Float64) / (width / 4.0);
            var angle = outer(coordinate, (exponent * -Math.Log(10_000)).exp());
            return cat([angle.sin(), angle.cos()], dim: 1);
        }
    }
}
