using MaskBias.MLNet.Tests.Weights.Onnx;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Vit;

public class EncoderResizingTests
{
    [Fact]
    public void Other_images_take_the_positions_that_they_had_before()
    {
        using var encoder = OnnxEncoderTests.Scrambled(Options());
        using var larger = EncoderResizing.Resize(encoder, 48);
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var images = randn([2, 3, 48, 48], generator: generator);
        Assert.Equal((48, 8), (larger.ImageSize, larger.Model.Options.PatchSize));
        Near.Equal(encoder.Model.forward(images), larger.Model.forward(images), 1e-6, "features");
    }

    [Fact]
    public void A_smooth_image_looks_the_same_in_larger_patches()
    {
        using var encoder = OnnxEncoderTests.Scrambled(Options());
        using var coarse = EncoderResizing.Resize(encoder, 64, 16);
        using var scope = NewDisposeScope();
        using var generator = new Generator(2, CPU);
        var small = randn([1, 3, 32, 32], generator: generator);
        var large = nn.functional.interpolate(small, size: [64, 64], mode: InterpolationMode.Bicubic, align_corners: false, antialias: true);
        var (expected, actual) = (encoder.Model.forward(small), coarse.Model.forward(large));
        Assert.InRange(nn.functional.cosine_similarity(expected, actual, dim: 1).item<float>(), 0.9f, 1);
        Near.Equal(encoder.Model.PositionEmbedding(32, 32), coarse.Model.PositionEmbedding(64, 64), 0, "positions");
    }

    [Fact]
    public void Head_decoder_and_fixed_positions_go_along()
    {
        var options = Options();
        options.Positions = PositionKind.SinCos;
        using var encoder = new VisionEncoder(new VisionTransformer(options), new DinoHead(24, new() { OutDim = 8, HiddenDim = 8, BottleneckDim = 4 }, seed: 3),
            decoder: new MaeDecoder(options, new() { EmbedDim = 8, Depth = 1, Heads = 2 }, seed: 4));
        using var larger = EncoderResizing.Resize(encoder, 48);
        Assert.Equal(6, larger.Decoder!.GridSize);
        using var scope = NewDisposeScope();
        Near.Equal(SinCosPositions.Create(24, 6), larger.Model.PositionEmbedding(48, 48), 0, "positions");
        Near.Equal(encoder.Head!.state_dict()["last_layer.weight_v"], larger.Head!.state_dict()["last_layer.weight_v"], 0, "head");
        using var coarse = EncoderResizing.Resize(encoder, 32, 16);
        Assert.Null(coarse.Decoder);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var encoder = OnnxEncoderTests.Scrambled(Options());
        Assert.Contains("must divide ImageSize 50", Assert.Throws<ArgumentException>(() => EncoderResizing.Resize(encoder, 50)).Message);
    }

    private static VitOptions Options() => new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 };
}
