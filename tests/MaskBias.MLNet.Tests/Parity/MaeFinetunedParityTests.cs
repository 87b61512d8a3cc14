using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>Encoders that MAE's code has fine-tuned, of both poolings, against that code.</summary>
[Trait("Category", "Parity")]
public class MaeFinetunedParityTests
{
    [Theory]
    [InlineData("model_cls.safetensors", "cls", FeaturePooling.ClassToken)]
    [InlineData("model_global_pool.safetensors", "global_pool", FeaturePooling.NormalizedMean)]
    [InlineData("finetuned.pth", "global_pool", FeaturePooling.NormalizedMean)]
    public void Features_match(string file, string output, FeaturePooling pooling)
    {
        using var fixture = new ReferenceCase("mae_finetune");
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path($"mae_finetune/{file}"), new() { Heads = fixture.Int("num_heads") });
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Assert.Equal(pooling, encoder.Model.Options.Pooling);
        Near.Equal(fixture.Read("io", $"output.features.{output}"), encoder.Model.forward(fixture.Read("io", "input")), 1e-5, $"features of {file}");
    }

    [Fact]
    public void Positions_for_larger_images_match()
    {
        using var fixture = new ReferenceCase("mae_finetune");
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path("mae_finetune/finetuned.pth"),
            new() { Heads = fixture.Int("num_heads"), ImageSize = fixture.Int("img_size2"), PositionResampling = PositionResampling.Size });
        using var scope = NewDisposeScope();
        Near.Equal(fixture.Read("io", "output.pos_embed_interpolated"), encoder.Model.state_dict()["pos_embed"], 2e-6, "positions");
    }
}
