using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Native;

public sealed class TensorListsTests
{
    private static readonly long[][] Shapes = [[3, 4], [5], [1], [2, 3, 2]];

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Many_tensors_at_once_are_as_each_alone(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        Tensor[] one = [.. Shapes.Select(Random)], two = [.. Shapes.Select(Random)];
        Tensor[] before = [.. one.Select(t => t.clone())];
        double tolerance = type == ScalarType.Float64 ? 1e-14 : 1e-6;

        var norms = TensorLists.Norms(one);
        Assert.All(Pairs.Of(one, norms.unbind(0)), p => Near(p.First.norm(), p.Second));

        TensorLists.Scale(one, [0.5, 1, 2, 0.25]);
        Assert.All(one.Zip(before, [0.5, 1, 2, 0.25]), p => Near(p.Second * p.Third, p.First));

        Tensor[] moved = [.. before.Select(t => t.clone())];
        TensorLists.MoveTowards(moved, two, 0.9);
        Assert.All(moved.Zip(before, two), p => Near(p.Second * 0.9 + p.Third * 0.1, p.First));

        TensorLists.MoveTowards(moved, two, 0);
        Assert.All(Pairs.Of(moved, two), p => Assert.True(p.First.equal(p.Second).all().ToBoolean()));

        Tensor Random(long[] shape) => randn(shape, dtype: type, generator: generator);

        void Near(Tensor expected, Tensor actual)
        {
            Assert.Equal(type, actual.dtype);
            Assert.True((expected - actual).abs().max().ToDouble() <= tolerance);
        }
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        Tensor[] one = [.. Shapes.Select(s => randn(s))], two = [.. Shapes.Select(s => randn(s))];
        Run();
        long before = LiveTensors.OfThisThread;
        for (int i = 0; i < 20; i++) Run();
        Assert.Equal(before, LiveTensors.OfThisThread);

        void Run()
        {
            using var step = NewDisposeScope();
            TensorLists.Norms(one);
            TensorLists.Scale(one, [1, 1, 1, 1]);
            TensorLists.MoveTowards(one, two, 0.9);
            TensorLists.MoveTowards(one, two, 0);
        }
    }
}
