using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.Onnx;

/// <summary>Every output of an exported encoder, in every architecture, against TorchSharp.</summary>
public sealed class OnnxOutputsTests
{
    private const float Tolerance = 1e-4f;
    private const OnnxOutputs Everything = OnnxOutputs.Features | OnnxOutputs.ClassToken | OnnxOutputs.PatchTokens | OnnxOutputs.LastAttention;

    public static TheoryData<string> Architectures => [.. Variants.Keys];

    private static Dictionary<string, Action<VitOptions>> Variants { get; } = new()
    {
        ["plain"] = _ => { },
        ["mean"] = o => o.Pooling = FeaturePooling.Mean,
        ["normalized mean"] = o => o.Pooling = FeaturePooling.NormalizedMean,
        ["registers"] = o => (o.RegisterTokens, o.LayerScale, o.PositionResampling) = (4, 0.3, PositionResampling.Antialiased),
        ["registers, mean"] = o => (o.RegisterTokens, o.Pooling) = (2, FeaturePooling.Mean),
        ["swiglu"] = o => (o.FeedForward, o.LayerScale) = (FeedForwardKind.SwiGlu, 1),
        ["no class position"] = o => (o.ClassTokenPosition, o.PositionResampling) = (false, PositionResampling.Size),
        ["large epsilon"] = o => o.NormEpsilon = 0.01,
        ["sin-cos"] = o => (o.Positions, o.PositionResampling) = (PositionKind.SinCos, PositionResampling.Size),
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void All_outputs_are_the_encoders(string variant)
    {
        using var encoder = Encoder(variant);
        using var session = new InferenceSession(OnnxEncoder.Export(encoder, new() { Outputs = Everything }));
        foreach (int rows in (int[])[1, 3, 16]) AssertSame(encoder, session, rows, encoder.ImageSize, encoder.ImageSize);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Any_image_size_is_taken(string variant)
    {
        using var encoder = Encoder(variant);
        using var session = new InferenceSession(OnnxEncoder.Export(encoder, new() { Outputs = Everything, DynamicImageSize = true }));
        foreach (var (rows, height, width) in ((int, int, int)[])[(1, 32, 32), (3, 40, 24), (1, 64, 16), (16, 16, 16), (2, 45, 53)])
            AssertSame(encoder, session, rows, height, width);
    }

    [Theory]
    [InlineData(OnnxOutputs.Features)]
    [InlineData(OnnxOutputs.ClassToken)]
    [InlineData(OnnxOutputs.PatchTokens)]
    [InlineData(OnnxOutputs.LastAttention)]
    [InlineData(OnnxOutputs.Features | OnnxOutputs.LastAttention)]
    public void Each_output_alone(OnnxOutputs outputs)
    {
        foreach (string variant in (string[])["plain", "normalized mean"])
        {
            using var encoder = Encoder(variant);
            using var session = new InferenceSession(OnnxEncoder.Export(encoder, new() { Outputs = outputs }));
            Assert.Equal(int.PopCount((int)outputs), session.OutputMetadata.Count);
            AssertSame(encoder, session, 3, 32, 32);
        }
    }

    [Fact]
    public void A_fixed_batch_is_declared()
    {
        using var encoder = Encoder("plain");
        using var session = new InferenceSession(OnnxEncoder.Export(encoder, new() { Outputs = Everything, BatchSize = 3 }));
        Assert.Equal([3, 3, 32, 32], session.InputMetadata["pixels"].Dimensions);
        Assert.Equal([3, 24], session.OutputMetadata["features"].Dimensions);
        Assert.Equal([3, 16, 24], session.OutputMetadata["patch_tokens"].Dimensions);
        Assert.Equal([3, 3, 17, 17], session.OutputMetadata["last_attention"].Dimensions);
        AssertSame(encoder, session, 3, 32, 32);
    }

    [Fact]
    public void Half_precision_weights_differ_by_their_rounding_alone()
    {
        using var encoder = Encoder("registers");
        byte[] full = OnnxEncoder.Export(encoder), half = OnnxEncoder.Export(encoder, new() { HalfPrecisionWeights = true, Outputs = Everything });
        Assert.InRange(half.Length, 0.5 * full.Length, 0.75 * full.Length);          // tiny encoders are names and vectors, too
        using var session = new InferenceSession(half);
        AssertSame(encoder, session, 3, 32, 32, tolerance: 0.03f);
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            encoder.Model.state_dict()["patch_embed.proj.weight"].mul_(1e9f);
        }
        var error = Assert.Throws<InvalidOperationException>(() => OnnxEncoder.Export(encoder, new() { HalfPrecisionWeights = true }));
        Assert.Contains("patch_embed.proj.weight", error.Message);
    }

    [Theory]
    [InlineData("tiny")]
    [InlineData("small")]
    [InlineData("base")]
    public void Presets(string preset)
    {
        var options = preset switch
        {
            "tiny" => VitOptions.Tiny(patchSize: 16, imageSize: 64),
            "small" => VitOptions.Small(patchSize: 16, imageSize: 64),
            _ => VitOptions.Base(patchSize: 16, imageSize: 48),
        };
        using var encoder = OnnxEncoderTests.Scrambled(options);
        using var session = new InferenceSession(OnnxEncoder.Export(encoder, new() { Outputs = Everything }));
        foreach (int rows in (int[])[1, 3]) AssertSame(encoder, session, rows, encoder.ImageSize, encoder.ImageSize);
    }

    [Fact]
    public void Options_that_cannot_be_are_refused_together()
    {
        using var encoder = Encoder("plain");
        var error = Assert.Throws<ArgumentException>(() => OnnxEncoder.Export(encoder, new() { Outputs = 0, BatchSize = 0, ClassTokenName = "pixels" }));
        Assert.Contains("Outputs is 0", error.Message);
        Assert.Contains("BatchSize is 0", error.Message);
        Assert.Contains("\"pixels\" names 2", error.Message);
    }

    private static VisionEncoder Encoder(string variant)
    {
        var options = new VitOptions { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 };
        Variants[variant](options);
        return OnnxEncoderTests.Scrambled(options);
    }

    private static void AssertSame(VisionEncoder encoder, InferenceSession session, int rows, int height, int width, float tolerance = Tolerance)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var generator = new Generator((ulong)(rows + 1000 * height + width), CPU);
        var pixels = randint(256, [rows, 3, height, width], dtype: ScalarType.Float32, generator: generator);
        var input = new DenseTensor<float>(pixels.data<float>().ToArray(), [rows, 3, height, width]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("pixels", input)]);

        var (model, images) = (encoder.Model, encoder.Normalize(pixels));
        var tokens = model.ForwardTokens(images);
        foreach (var result in results)
        {
            var expected = result.Name switch
            {
                "features" => model.forward(images),
                "class_token" => tokens[.., 0],
                "patch_tokens" => tokens[.., model.PrefixTokens..],
                "last_attention" => model.LastSelfAttention(images),
                _ => throw new InvalidOperationException(result.Name),
            };
            var actual = result.AsTensor<float>();
            var got = tensor(actual.ToArray(), actual.Dimensions.ToArray().Select(d => (long)d).ToArray());
            Near.Equal(expected, got, tolerance, $"{result.Name} of {rows} images of {height}x{width}");
        }
    }
}
