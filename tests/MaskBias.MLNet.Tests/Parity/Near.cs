using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests;

/// <summary>Assertions on closeness.</summary>
internal static class Near
{
    public static void Equal(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{what}: shape [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", expected.shape)}]");
        double difference = Difference(expected, actual);
        Assert.True(difference <= tolerance, $"{what}: differs by {difference:g3}, allowed {tolerance:g3}");
    }

    public static double Difference(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        if (expected.numel() == 0) return 0;
        double difference = (expected.detach().to_type(ScalarType.Float64) - actual.detach().to_type(ScalarType.Float64)).abs().max().ToDouble();
        return double.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    public static void Equal(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual:r}, expected {expected:r}, allowed difference {tolerance:g3}");
}
