using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

public class MaskGuidedAttentionTests
{
    private const int Batch = 3, Patches = 16, MaskCount = 5;

    public static TheoryData<MaskRelation, RelationKind, bool, BiasLayers> Variants()
    {
        var data = new TheoryData<MaskRelation, RelationKind, bool, BiasLayers>();
        foreach (var relation in Enum.GetValues<MaskRelation>())
        {
            data.Add(relation, RelationKind.Soft, false, BiasLayers.All);
            data.Add(relation, RelationKind.Binary, true, BiasLayers.FirstHalf);
            data.Add(relation, RelationKind.Cosine, false, BiasLayers.LastHalf);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void No_masks_give_the_plain_transformer_to_the_bit(MaskRelation relation, RelationKind kind, bool shared, BiasLayers layers)
    {
        using var scope = NewDisposeScope();
        var (guided, plain) = Pair(relation, kind, shared, layers, initial: 1.5);
        var images = Images();
        Assert.True(guided.forward(images).equal(plain.forward(images)).all().ToBoolean());
        Assert.Equal(0, Near.Difference(guided.ForwardTokens(images), plain.ForwardTokens(images)));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Zero_weights_give_the_plain_transformer_within_1e6(MaskRelation relation, RelationKind kind, bool shared, BiasLayers layers)
    {
        using var scope = NewDisposeScope();
        var (guided, plain) = Pair(relation, kind, shared, layers, initial: 0);
        var images = Images();
        Near.Equal(plain.ForwardTokens(images), guided.ForwardTokens(images, MaskTokens()), 1e-6, "tokens");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_explicit_path_gives_the_numbers_of_the_fused_one(MaskRelation relation, RelationKind kind, bool shared, BiasLayers layers)
    {
        using var scope = NewDisposeScope();
        using var attention = new MaskGuidedAttention(24, 3, new() { Relation = relation, Kind = kind, SharedAcrossHeads = shared, InitialValue = 0.8 });
        _ = layers;
        var tokens = randn(Batch, Patches + 1, 24);
        var relations = PatchRelations.From(MaskTokens(), relation, kind);
        foreach (var given in new[] { relations, null })
        {
            var (explicitly, map) = attention.ForwardWithMap(tokens, given);
            Near.Equal(explicitly, attention.forward(tokens, given), 1e-5, "attention");
            Near.Equal(ones(Batch, 3, Patches + 1), map.sum(-1), 1e-5, "rows of the map");
        }
    }

    [Fact]
    public void The_bias_is_alpha_times_same_minus_beta_times_different()
    {
        using var scope = NewDisposeScope();
        using var attention = new MaskGuidedAttention(24, 3, new() { Relation = MaskRelation.Both });
        using (no_grad())
        {
            attention.Alpha!.copy_(tensor(new[] { 0.5f, 1, 2 }));
            attention.Beta!.copy_(tensor(new[] { 1f, 0, -1 }));
        }
        var tokens = randn(Batch, Patches + 1, 24);
        var relations = PatchRelations.From(MaskTokens(), MaskRelation.Both, RelationKind.Soft);
        var plain = attention.ForwardWithMap(tokens, null).Map;
        var biased = attention.ForwardWithMap(tokens, relations).Map;
        var bias = attention.Alpha!.view(1, 3, 1, 1) * relations.Positive!.unsqueeze(1) - attention.Beta!.view(1, 3, 1, 1) * relations.Negative!.unsqueeze(1);
        Near.Equal(softmax(plain.log() + bias, -1), biased, 1e-5, "map");
    }

    [Fact]
    public void Alpha_and_beta_receive_gradients_and_other_masks_change_the_output()
    {
        using var scope = NewDisposeScope();
        var (guided, _) = Pair(MaskRelation.Both, RelationKind.Soft, false, BiasLayers.All, initial: 0);
        var images = Images();
        // All tokens: the class token alone does not see the last block's bias, whose class row is zero.
        (guided.ForwardTokens(images, MaskTokens()) * randn(Batch, Patches + 1, guided.FeatureDim)).sum().backward();
        Assert.Equal(8, guided.BiasParameters.Count);
        Assert.All(guided.BiasParameters, p => Assert.True(p.grad!.abs().max().ToSingle() > 0));

        using (no_grad())
        {
            foreach (var weight in guided.BiasParameters) weight.fill_(1);
        }
        Assert.True(Near.Difference(guided.Forward(images, MaskTokens(1)), guided.Forward(images, MaskTokens(2))) > 1e-4);
        Assert.True(Near.Difference(guided.Forward(images, MaskTokens(1)), guided.forward(images)) > 1e-4);
    }

    [Fact]
    public void Only_the_chosen_layers_carry_the_bias()
    {
        using var all = Model(new() { Layers = BiasLayers.All });
        using var first = Model(new() { Layers = BiasLayers.FirstHalf });
        using var last = Model(new() { Layers = BiasLayers.LastHalf, SharedAcrossHeads = true });
        Assert.All(all.BiasValues(), v => Assert.Equal(3, v.Alpha!.Length));
        Assert.Equal([true, true, false, false], first.BiasValues().Select(v => v.Alpha is not null));
        Assert.Equal([0, 0, 1, 1], last.BiasValues().Select(v => v.Alpha?.Length ?? 0));
        Assert.All(all.BiasValues(), v => Assert.Null(v.Beta));
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        using var scope = NewDisposeScope();
        using var plain = Model(null);
        Assert.Contains("no mask-guided attention bias", Assert.Throws<InvalidOperationException>(() => plain.Forward(Images(), MaskTokens())).Message, StringComparison.Ordinal);
        using var guided = Model(new());
        Assert.Contains("[3, masks, 16]", Assert.Throws<ArgumentException>(() => guided.Forward(Images(), zeros(Batch, 2, 9))).Message, StringComparison.Ordinal);
        Assert.Contains("one patch of 8 pixels", Assert.Throws<ArgumentException>(() => plain.forward(zeros(1, 3, 4, 40))).Message, StringComparison.Ordinal);
        var faults = Assert.Throws<ArgumentException>(() => new VisionTransformer(new() { ImageSize = 30, PatchSize = 8, EmbedDim = 10, Heads = 3, Depth = 0 })).Message;
        Assert.Contains("PatchSize is 8; it must divide ImageSize 30.", faults, StringComparison.Ordinal);
        Assert.Contains("Heads is 3; it must divide EmbedDim 10.", faults, StringComparison.Ordinal);
        Assert.Contains("Depth is 0; it must lie in [1, 256].", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void Presets_have_the_published_sizes()
    {
        foreach (var (options, parameters) in new[] { (VitOptions.Tiny(), 5_524_416L), (VitOptions.Small(), 21_665_664L), (VitOptions.Base(), 85_798_656L) })
        {
            using var model = new VisionTransformer(options);
            Assert.Equal(parameters, model.parameters().Sum(p => p.numel()));
        }
    }

    private static (VisionTransformer Guided, VisionTransformer Plain) Pair(MaskRelation relation, RelationKind kind, bool shared, BiasLayers layers, double initial)
    {
        var guided = Model(new() { Relation = relation, Kind = kind, SharedAcrossHeads = shared, Layers = layers, InitialValue = initial });
        return (guided, Model(null));
    }

    private static VisionTransformer Model(MaskBiasOptions? bias, long seed = 1)
    {
        var model = new VisionTransformer(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 4, Heads = 3, MaskBias = bias }, seed);
        model.eval();
        return model;
    }

    private static Tensor Images()
    {
        using var generator = new Generator(1, CPU);
        return randn(Batch, 3, 32, 32, generator: generator);
    }

    private static Tensor MaskTokens(ulong seed = 1)
    {
        using var generator = new Generator(seed, CPU);
        return rand([Batch, MaskCount, Patches], generator: generator).sub_(0.4).clamp_(0, 1);
    }
}
