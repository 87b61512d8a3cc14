using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Distributed;

public sealed class GradientReducerTests
{
    [Fact]
    public void Gradients_become_means_over_the_ranks_in_buckets_of_a_size()
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = [.. new[] { 4L, 3, 10, 2 }.Select(n => nn.Parameter(zeros(n)))];
        foreach (var p in parameters) p.grad = ones(p.numel()) * p.numel();
        var ranks = new MirroredRanks(mine => mine * 3);
        using var reducer = new GradientReducer(ranks, bucketBytes: 32);
        reducer.Reduce(parameters);
        Assert.All(parameters, p => Near.Equal(ones(p.numel()) * p.numel() * 2, p.grad!, 0, "mean"));
        Assert.Equal(3, ranks.Sums);                      // [2], [10], [3, 4]
    }

    [Fact]
    public void A_parameter_without_a_gradient_here_gets_the_others_and_none_where_nobody_has_one()
    {
        using var scope = NewDisposeScope();
        Parameter here = nn.Parameter(zeros(2)), there = nn.Parameter(zeros(2)), nowhere = nn.Parameter(zeros(2));
        here.grad = ones(2);
        // Values of three parameters, then who has one: the other rank has the second alone.
        using var reducer = new GradientReducer(new MirroredRanks(_ => tensor(new float[] { 0, 0, 4, 4, 0, 0, 0, 1, 0 })));
        reducer.Reduce([here, there, nowhere]);
        Near.Equal(ones(2) * 0.5, here.grad!, 0, "here");
        Near.Equal(ones(2) * 2, there.grad!, 0, "there");
        Assert.Null(nowhere.grad);
    }

    [Fact]
    public void Short_gradients_are_summed_in_float32_and_doubles_in_float64()
    {
        using var scope = NewDisposeScope();
        Parameter half = nn.Parameter(zeros(2, ScalarType.BFloat16)), twice = nn.Parameter(zeros(2, ScalarType.Float64));
        half.grad = full(2, 1, ScalarType.BFloat16);
        twice.grad = full(2, 1, ScalarType.Float64);
        // In bfloat16, 1 + 0.0117 would be 1.0078 or 1.0156.
        var ranks = new MirroredRanks(mine => mine * 1.0234375);
        using var reducer = new GradientReducer(ranks);
        reducer.Reduce([half, twice]);
        Assert.Equal([ScalarType.Float64, ScalarType.Float32], ranks.Types);         // from the last
        Assert.Equal(ScalarType.BFloat16, half.grad!.dtype);
        Near.Equal(full(2, 1.01171875, ScalarType.Float64), twice.grad!, 1e-12, "float64");
    }

    [Fact]
    public void Buckets_follow_parameters_that_are_unfrozen()
    {
        using var scope = NewDisposeScope();
        Parameter first = nn.Parameter(zeros(2)), second = nn.Parameter(zeros(2));
        using var reducer = new GradientReducer(new MirroredRanks(mine => mine * 0));
        first.grad = ones(2);
        reducer.Reduce([first]);
        first.grad = ones(2);
        second.grad = ones(2) * 3;
        reducer.Reduce([first, second]);
        Near.Equal(ones(2) * 1.5, second.grad!, 0, "second");
    }
}
