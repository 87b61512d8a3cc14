using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

public sealed class ComputePrecisionTests
{
    private static readonly VitOptions Small = new()
    {
        EmbedDim = 48, Depth = 3, Heads = 3, ImageSize = 32, PatchSize = 8, MaskBias = new() { Relation = MaskRelation.Both, InitialValue = 0.7 },
    };

    [Fact]
    public void Layers_in_bfloat16_come_near_those_in_float32_and_their_gradients_stay_in_float32()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(Small, seed: 1);
        using var generator = new Generator(1, CPU);
        var (images, masks) = (randn(4, 3, 32, 32, generator: generator), rand(4, 3, 16, generator: generator));
        var exact = model.Forward(images, masks);
        var exactGradients = Gradients(model, exact);

        model.ComputeType = ScalarType.BFloat16;
        var rounded = model.Forward(images, masks);
        Assert.Equal(ScalarType.Float32, rounded.dtype);
        double apart = Distance(exact, rounded);
        Assert.InRange(apart, 1e-6, 0.03);                   // bfloat16 was used, and its rounding is all that differs
        foreach (var (name, gradient) in Gradients(model, rounded))
        {
            Assert.Equal(ScalarType.Float32, gradient.dtype);
            // Attention does not depend on the keys' biases: what their gradients have is rounding alone. The class token, which alone is asked
            // for, has no bias in the last block.
            if (name.EndsWith("qkv.bias", StringComparison.Ordinal) || exactGradients[name].norm().ToDouble() == 0) continue;
            // The weights of the bias: sums over all pairs of patches that nearly cancel.
            double allowed = name.Contains("mask_", StringComparison.Ordinal) ? 0.4 : 0.1;
            Assert.True(Distance(exactGradients[name], gradient) < allowed, $"{name}: {Distance(exactGradients[name], gradient)}");
        }

        model.ComputeType = null;
        Assert.True(exact.equal(model.Forward(images, masks)).all().ToBoolean());
    }

    [Fact]
    public void The_head_and_the_decoder_compute_in_bfloat16_and_answer_in_float32()
    {
        using var scope = NewDisposeScope();
        using var head = new DinoHead(48, new() { HiddenDim = 64, BottleneckDim = 32, OutDim = 128 }, seed: 1);
        using var decoder = new MaeDecoder(Small, new() { EmbedDim = 32, Depth = 2, Heads = 2 }, seed: 1);
        using var generator = new Generator(2, CPU);
        var (features, tokens) = (randn(6, 48, generator: generator), randn(2, 5, 48, generator: generator));
        var restore = arange(16).expand(2, 16);
        var (logits, patches) = (head.forward(features), decoder.forward(tokens, restore));
        head.ComputeType = decoder.ComputeType = ScalarType.BFloat16;
        foreach (var (exact, rounded) in new[] { (logits, head.forward(features)), (patches, decoder.forward(tokens, restore)) })
        {
            Assert.Equal(ScalarType.Float32, rounded.dtype);
            Assert.InRange(Distance(exact, rounded), 1e-6, 0.03);
        }
    }

    [Fact]
    public void Patches_as_a_matrix_product_are_those_of_the_convolution()
    {
        using var scope = NewDisposeScope();
        using var exact = new VisionTransformer(Small, seed: 1);
        using var generator = new Generator(3, CPU);
        var images = randn(2, 3, 37, 45, generator: generator);         // what is left of the last row and column is dropped
        var tokens = exact.ForwardTokens(images);
        exact.ComputeType = ScalarType.BFloat16;
        Assert.Equal(tokens.shape, exact.ForwardTokens(images).shape);
        Assert.InRange(Distance(tokens, exact.ForwardTokens(images)), 1e-6, 0.03);
    }

    private static Dictionary<string, Tensor> Gradients(VisionTransformer model, Tensor output)
    {
        foreach (var parameter in model.parameters()) parameter.grad = null;
        (output * output.detach()).sum().backward();
        return model.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => p.parameter.grad!.clone());
    }

    private static double Distance(Tensor expected, Tensor actual) => ((expected - actual).norm() / expected.norm()).ToDouble();
}
