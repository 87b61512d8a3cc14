using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Distributed;

/// <summary>Gradients of blocks that the backward pass has left are summed while it goes on.</summary>
public sealed class OverlapTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Tensor large, small;

    public OverlapTests()
    {
        using var generator = new Generator(1, CPU);
        (large, small) = (randn([2, 3, 16, 16], generator: generator), randn([4, 3, 8, 8], generator: generator));
    }

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_complete_travels_before_the_pass_ends_and_the_means_are_the_same(bool recompute)
    {
        var ranks = new MirroredRanks(mine => mine * 3);
        using var model = Model(recompute);
        var parameters = Trained(model);
        var share = RankShare.Of(OneRank.Instance, 2);
        model.JoinRanks(share);
        using var reducer = new GradientReducer(ranks, share.Borders, bucketBytes: 1);          // one for each parameter
        Backward(model, 1.0 / 3);                                                             // a part that is not the last
        Assert.Equal(0, ranks.Sums);
        for (int step = 0; step < 2; step++)
        {
            int before = ranks.Sums;
            reducer.Expect(parameters);
            Backward(model, 2.0 / 3);
            // All but the class token, the positions and the embedding of patches, which come before the first block.
            Assert.Equal(parameters.Count - 4, ranks.Sums - before);
            reducer.Reduce(parameters);
            Assert.Equal(parameters.Count, ranks.Sums - before);
            if (step == 0) Compare(parameters, recompute);
        }
    }

    [Fact]
    public void A_sum_that_fails_in_the_pass_is_told_after_it()
    {
        var ranks = new MirroredRanks(_ => throw new RankFailedException("the other one has left"));
        using var model = Model(recompute: false);
        var share = RankShare.Of(OneRank.Instance, 2);
        model.JoinRanks(share);
        using var reducer = new GradientReducer(ranks, share.Borders, bucketBytes: 1);
        reducer.Expect(Trained(model));
        Assert.Contains("has left", Assert.Throws<RankFailedException>(() => Backward(model, 1)).Message, StringComparison.Ordinal);
    }

    // Against a pass that nothing is seen of.
    private void Compare(IReadOnlyList<Parameter> parameters, bool recompute)
    {
        using var plain = Model(recompute);
        using var reducer = new GradientReducer(new MirroredRanks(mine => mine * 3), bucketBytes: 1);
        Backward(plain, 1.0 / 3);
        Backward(plain, 2.0 / 3);
        var expected = Trained(plain);
        reducer.Reduce(expected);
        Assert.All(Pairs.Of(expected, parameters), p => Near.Equal(p.First.grad!, p.Second.grad!, 0, "gradient"));
    }

    private static VisionTransformer Model(bool recompute)
    {
        var options = TinyTraining.Encoder();
        (options.Depth, options.DropPath) = (3, 0.3);
        var model = new VisionTransformer(options, 1) { RecomputesBlocks = recompute };
        model.train();
        return model;
    }

    private static List<Parameter> Trained(VisionTransformer model) => [.. model.parameters()];

    private void Backward(VisionTransformer model, double scale)
    {
        using var step = NewDisposeScope();
        var loss = model.forward(large).square().mean() + model.forward(small).square().mean();
        try
        {
            (loss * scale).backward();
        }
        finally
        {
            BackwardPass.End();
        }
    }
}
