using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

/// <summary>Registers beside the mask-guided attention bias, and the options that change nothing by default.</summary>
public class RegisterTests
{
    [Theory]
    [InlineData(MaskRelation.Positive)]
    [InlineData(MaskRelation.Both)]
    public void Relations_of_registers_are_zero(MaskRelation relation)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var shares = rand([2, 3, 5], generator: generator);
        var alone = PatchRelations.From(shares, relation, RelationKind.Soft);
        var withRegisters = PatchRelations.From(shares, relation, RelationKind.Soft, prefixTokens: 4);
        Assert.Equal([2, 9, 9], withRegisters.Positive!.shape);
        Assert.Equal(0, withRegisters.Positive[.., ..4].abs().max().item<float>());
        Assert.Equal(0, withRegisters.Positive[.., .., ..4].abs().max().item<float>());
        Assert.Equal(0, Near.Difference(alone.Positive![.., 1.., 1..], withRegisters.Positive[.., 4.., 4..]));
    }

    [Fact]
    public void A_bias_of_zero_changes_nothing_and_one_of_more_does()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2, CPU);
        using var plain = Model(null);
        using var neutral = Model(0);
        using var guided = Model(4);
        var images = randn([2, 3, 32, 32], generator: generator);
        var masks = (rand([2, 3, 16], generator: generator) > 0.5).to_type(ScalarType.Float32);
        Near.Equal(plain.ForwardTokens(images), neutral.ForwardTokens(images, masks), 1e-6, "tokens");
        Assert.InRange(Near.Difference(plain.ForwardTokens(images), guided.ForwardTokens(images, masks)), 1e-3, 100);
        Assert.Equal([2, 3, 20, 20], guided.LastSelfAttention(images, masks).shape);
    }

    [Fact]
    public void Visible_patches_alone_match_all_patches()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        using var model = Model(null);
        var images = randn([2, 3, 32, 32], generator: generator);
        var everything = arange(16).expand(2, 16);
        var seen = model.ForwardVisible(images, everything);
        Assert.Equal([2, 17, 24], seen.shape);
        Near.Equal(model.WithoutRegisters(model.ForwardTokens(images)), seen, 1e-6, "tokens");
    }

    [Fact]
    public void Defaults_are_the_plain_encoder()
    {
        using var model = new VisionTransformer(VitOptions.Tiny());
        Assert.Equal(1, model.PrefixTokens);
        Assert.DoesNotContain(model.state_dict().Keys, k => k.Contains("ls1") || k.Contains("register") || k.Contains("w12"));
        var options = model.Options;
        Assert.Equal((1e-6, (double?)null, 0, true), (options.NormEpsilon, options.LayerScale, options.RegisterTokens, options.ClassTokenPosition));
        Assert.Equal((FeedForwardKind.Mlp, PositionResampling.Offset), (options.FeedForward, options.PositionResampling));
    }

    [Theory]
    [InlineData(1536, 4096)]
    [InlineData(32, 88)]
    [InlineData(28, 80)]
    public void Gated_layers_have_the_published_widths(int width, int hidden) =>
        Assert.Equal(hidden, new VitOptions { EmbedDim = width, FeedForward = FeedForwardKind.SwiGlu }.HiddenDim);

    private static VisionTransformer Model(double? bias)
    {
        var model = new VisionTransformer(new()
        {
            ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3, RegisterTokens = 3, LayerScale = 1,
            MaskBias = bias is { } start ? new() { InitialValue = start } : null,
        }, seed: 5);
        model.eval();
        return model;
    }
}
