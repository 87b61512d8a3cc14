using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Checkpoints of Hugging Face's transformers against what they compute; everything but the weights is from their config.json.</summary>
[Trait("Category", "Parity")]
public class HuggingFaceParityTests
{
    [Theory]
    [InlineData("hf_dinov2", CheckpointLayout.HuggingFaceDinoV2)]
    [InlineData("hf_dinov2_reg", CheckpointLayout.HuggingFaceDinoV2)]
    [InlineData("hf_dinov2_swiglu", CheckpointLayout.HuggingFaceDinoV2)]
    [InlineData("hf_vit", CheckpointLayout.HuggingFaceVit)]
    public void Tokens_match(string name, CheckpointLayout layout)
    {
        double tolerance = layout == CheckpointLayout.HuggingFaceVit ? 1e-5 : 2e-5;
        using var fixture = new ReferenceCase(name);
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path(name));
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Assert.Equal(layout, EncoderCheckpoint.Describe(Fixtures.Path(name)).Layout);
        foreach (var input in fixture.Config.GetProperty("inputs").EnumerateArray())
        {
            string size = $"{input[1].GetInt32()}x{input[2].GetInt32()}";
            var tokens = encoder.Model.ForwardTokens(fixture.Read("io", $"input.{size}"));
            Near.Equal(fixture.Read("io", $"output.{size}.last_hidden_state"), tokens, tolerance, $"tokens {size}");
            Near.Equal(fixture.Read("io", $"output.{size}.logits"), Logits(fixture, encoder, tokens), tolerance, $"logits {size}");
        }
    }

    [Fact]
    public void Prefixed_weights_with_a_classifier_are_the_same_encoder()
    {
        using var fixture = new ReferenceCase("hf_vit");
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path("hf_vit/model.safetensors"));
        using var classifier = EncoderCheckpoint.Load(Fixtures.Path("hf_vit/model_cls.safetensors"));
        foreach (var (name, weight) in encoder.Model.state_dict()) Assert.True(weight.bytes.SequenceEqual(classifier.Model.state_dict()[name].bytes), name);
    }

    [Fact]
    public void Positions_of_older_transformers_match()
    {
        using var fixture = new ReferenceCase("hf_vit");
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path("hf_vit"), new() { PositionResampling = PositionResampling.Offset });
        using var scope = NewDisposeScope();
        foreach (string size in (string[])["48x48", "40x56"])
        {
            var token = encoder.Model.ForwardTokens(fixture.Read("io", $"input.{size}"))[.., ..1];
            Near.Equal(fixture.Read("io", $"output.{size}.last_hidden_state_dino_offset"), token, 1e-5, size);
        }
    }

    // The classifier is not part of an encoder: computed here, from the class token and, for DINOv2, the mean of the patches.
    private static Tensor Logits(ReferenceCase fixture, VisionEncoder encoder, Tensor tokens)
    {
        bool vit = fixture.File_(encoder.Model.Options.LayerScale is null ? "model_cls" : "classifier").Contains("vit.embeddings.cls_token");
        string file = vit ? "model_cls" : "classifier";
        var features = vit ? tokens[.., 0] : cat([tokens[.., 0], tokens[.., encoder.Model.PrefixTokens..].mean([1])], dim: 1);
        return nn.functional.linear(features, fixture.Read(file, "classifier.weight"), fixture.Read(file, "classifier.bias"));
    }
}
