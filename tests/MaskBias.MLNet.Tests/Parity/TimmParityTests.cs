using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>timm's encoders, and its resampling of positions and patches, against timm.</summary>
[Trait("Category", "Parity")]
public class TimmParityTests
{
    private const double PositionTolerance = 2e-6, Tolerance = 1e-5;

    [Theory]
    [InlineData("timm_vit", FeaturePooling.ClassToken)]
    [InlineData("timm_vit_avg", FeaturePooling.NormalizedMean)]
    [InlineData("timm_vit_reg", FeaturePooling.ClassToken)]
    public void Outputs_match(string name, FeaturePooling pooling)
    {
        using var fixture = new ReferenceCase(name);
        using var encoder = Load(fixture, name);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Assert.Equal(pooling, encoder.Model.Options.Pooling);
        foreach (var input in fixture.Config.GetProperty("inputs").EnumerateArray())
        {
            string size = $"{input[1].GetInt32()}x{input[2].GetInt32()}";
            var images = fixture.Read("io", $"input.{size}");
            var features = encoder.Model.forward(images);
            Near.Equal(fixture.Read("io", $"output.{size}.forward_features"), encoder.Model.ForwardTokens(images), Tolerance, $"tokens {size}");
            Near.Equal(fixture.Read("io", $"output.{size}.pooled"), features, Tolerance, $"features {size}");
            Near.Equal(fixture.Read("io", $"output.{size}.logits"), Logits(fixture, features), Tolerance, $"logits {size}");
            if (!fixture.File_("io").Contains($"output.{size}.pos_embed")) continue;
            var positions = encoder.Model.PositionEmbedding(images.shape[2], images.shape[3]);
            var expected = fixture.Read("io", $"output.{size}.pos_embed");
            Near.Equal(expected, positions[.., (int)(positions.shape[1] - expected.shape[1])..], PositionTolerance, $"positions {size}");
        }
    }

    [Theory]
    [InlineData("timm_vit")]
    [InlineData("timm_vit_avg")]
    public void Other_images_and_patches_on_loading_match(string name)
    {
        using var fixture = new ReferenceCase(name);
        var size = fixture.Config.GetProperty("flexi_load");
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path(name), new()
        {
            Heads = fixture.Int("num_heads"), ImageSize = size.GetProperty("img_size").GetInt32(), PatchSize = size.GetProperty("patch_size").GetInt32(),
        });
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var images = fixture.Read("io", "input.flexi_load");
        Assert.Equal(images.shape[2], encoder.ImageSize);
        Near.Equal(fixture.Read("io", "output.flexi_load.pos_embed"), encoder.Model.PositionEmbedding(images.shape[2], images.shape[3]), PositionTolerance, "positions");
        Near.Equal(fixture.Read("io", "output.flexi_load.forward_features"), encoder.Model.ForwardTokens(images), 1e-4, "tokens");
        Near.Equal(fixture.Read("io", "output.flexi_load.logits"), Logits(fixture, encoder.Model.forward(images)), 1e-4, "logits");
    }

    [Theory]
    [InlineData(12, 12)]
    [InlineData(6, 6)]
    [InlineData(8, 10)]
    public void Patch_projections_match(int height, int width)
    {
        using var fixture = new ReferenceCase("timm_vit");
        using var scope = NewDisposeScope();
        var weight = fixture.Read("model", "patch_embed.proj.weight");
        Near.Equal(fixture.Read("io", $"output.resize_matrix.{height}x{width}"), PatchResampling.ResizeMatrix(8, 8, height, width), 1e-6, "matrix");
        Near.Equal(fixture.Read("io", $"output.patch_embed.{height}x{width}"), PatchResampling.Resample(weight, height, width), 1e-4, "weights");
    }

    [Fact]
    public void Patches_that_grow_and_shrink_keep_their_size()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var weight = randn([4, 3, 6, 6], generator: generator);
        Assert.InRange(PatchResampling.Resample(weight, 10, 5).abs().max().item<float>(), 0.1, 20);
    }

    private static VisionEncoder Load(ReferenceCase fixture, string name)
    {
        var found = EncoderCheckpoint.Describe(Fixtures.Path(name), new() { Heads = fixture.Int("num_heads") });
        Assert.Equal(CheckpointLayout.Timm, found.Layout);
        Assert.Equal([0.5f, 0.5f, 0.5f], found.Normalization.Mean);
        return EncoderCheckpoint.Load(Fixtures.Path(name), new() { Heads = fixture.Int("num_heads") });
    }

    private static Tensor Logits(ReferenceCase fixture, Tensor features) =>
        nn.functional.linear(features, fixture.Read("model", "head.weight"), fixture.Read("model", "head.bias"));
}
