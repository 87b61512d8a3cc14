using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

/// <summary>What an encoder's creation does to libtorch's random state, which the whole process shares: alone, since layers elsewhere draw from it.</summary>
[Collection(nameof(LiveTensors))]
public class SeededCreationTests
{
    [Fact]
    public void Creation_leaves_the_global_random_state_alone_and_is_seeded()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(5);
        var expected = rand(4);
        random.manual_seed(5);
        using var first = Model(seed: 3);
        Near.Equal(expected, rand(4), 0, "next random numbers");
        using var second = Model(seed: 3);
        using var third = Model(seed: 4);
        Assert.All(first.state_dict(), p => Near.Equal(p.Value, second.state_dict()[p.Key], 0, p.Key));
        Assert.True(Near.Difference(first.state_dict()["pos_embed"], third.state_dict()["pos_embed"]) > 1e-3);
    }

    private static VisionTransformer Model(long seed) =>
        new(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 4, Heads = 3, MaskBias = new() }, seed);
}
