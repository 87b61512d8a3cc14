using System.Text.Json;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Onnx;
using MaskBias.MLNet.Weights.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.Onnx;

public sealed class OnnxEncoderTests
{
    private const float Tolerance = 1e-4f;

    [Theory]
    [InlineData(32, 8, 48, 2, 3, 4.0, FeaturePooling.ClassToken)]
    [InlineData(32, 8, 48, 2, 3, 4.0, FeaturePooling.Mean)]
    [InlineData(16, 4, 20, 1, 5, 2.5, FeaturePooling.ClassToken)]
    [InlineData(24, 4, 16, 3, 1, 1.0, FeaturePooling.Mean)]
    [InlineData(64, 16, 64, 4, 4, 4.0, FeaturePooling.ClassToken)]
    [InlineData(16, 16, 24, 2, 2, 3.0, FeaturePooling.Mean)]
    public void GivesTheEncodersFeatures(int imageSize, int patchSize, int width, int depth, int heads, double ratio, FeaturePooling pooling)
    {
        using var encoder = Scrambled(new()
        {
            ImageSize = imageSize, PatchSize = patchSize, EmbedDim = width, Depth = depth, Heads = heads, MlpRatio = ratio, Pooling = pooling,
        });
        AssertSameFeatures(encoder, OnnxEncoder.Export(encoder));
    }

    [Fact]
    public void ExportsTheTinyPreset()
    {
        using var encoder = Scrambled(VitOptions.Tiny(patchSize: 8, imageSize: 64));
        AssertSameFeatures(encoder, OnnxEncoder.Export(encoder));
    }

    [Fact]
    public void NormalizationIsInside()
    {
        var options = new VitOptions { ImageSize = 16, PatchSize = 8, EmbedDim = 24, Depth = 1, Heads = 2 };
        using var usual = Scrambled(options);
        using var other = Scrambled(options, new ImageNormalization([0.1f, 0.9f, 0.3f], [0.5f, 0.05f, 1.5f]));
        AssertSameFeatures(other, OnnxEncoder.Export(other));
        Assert.NotEqual(OnnxEncoder.Export(usual), OnnxEncoder.Export(other));
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void ExportsTheReferenceWeights()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("dino_vit/manifest.json")));
        int Config(string name) => manifest.RootElement.GetProperty("config").GetProperty(name).GetInt32();
        using var encoder = new VisionEncoder(new VisionTransformer(new()
        {
            ImageSize = Config("img_size"), PatchSize = Config("patch_size"), EmbedDim = Config("embed_dim"), Depth = Config("depth"), Heads = Config("num_heads"),
        }));
        using (var file = SafetensorsFile.Open(Fixtures.Path("dino_vit/backbone.safetensors"))) StateLoader.Load(encoder.Model, file);
        AssertSameFeatures(encoder, OnnxEncoder.Export(encoder));
    }

    [Fact]
    public void DeclaresNamesAndShapes()
    {
        using var encoder = Scrambled(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 });
        byte[] bytes = OnnxEncoder.Export(encoder, new() { InputName = "norm", OutputName = "blocks.0.norm1" });     // names that the graph uses too
        using var session = new InferenceSession(bytes);
        Assert.Equal([-1, 3, 16, 16], session.InputMetadata["norm"].Dimensions);
        Assert.Equal([-1, 12], session.OutputMetadata["blocks.0.norm1"].Dimensions);
        Assert.Equal("batch", session.InputMetadata["norm"].SymbolicDimensions[0]);
        Assert.Equal("batch", session.OutputMetadata["blocks.0.norm1"].SymbolicDimensions[0]);
        Assert.Equal(OnnxGraph.OpsetVersion, ModelProto.Parser.ParseFrom(bytes).OpsetImport.Single().Version);
    }

    [Fact]
    public void RuntimeFusesGelu()
    {
        using var encoder = Scrambled(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 16, Depth = 3, Heads = 2 });
        string optimized = Path.Combine(Path.GetTempPath(), $"maskbias-{Guid.NewGuid():N}.onnx");
        try
        {
            using var options = new SessionOptions { OptimizedModelFilePath = optimized, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            using var session = new InferenceSession(OnnxEncoder.Export(encoder), options);
            var operations = ModelProto.Parser.ParseFrom(File.ReadAllBytes(optimized)).Graph.Node.GroupBy(n => n.OpType).ToDictionary(g => g.Key, g => g.Count());
            Assert.DoesNotContain("Erf", operations.Keys);
            Assert.Equal(3, operations["BiasGelu"]);
        }
        finally
        {
            File.Delete(optimized);
        }
    }

    [Fact]
    public void SameEncoderGivesSameBytesInMemoryAndFile()
    {
        using var encoder = Scrambled(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 });
        using var folder = new TemporaryFolder();
        OnnxEncoder.Export(encoder, folder.File("sub/encoder.onnx"));
        Assert.Equal(OnnxEncoder.Export(encoder), File.ReadAllBytes(folder.File("sub/encoder.onnx")));
        Assert.Equal(["sub/encoder.onnx", "sub/encoder.onnx.card.json", "sub/encoder.onnx.card.md"], folder.Names.Select(n => n.Replace('\\', '/')));
    }

    [Fact]
    public void RefusesAMaskGuidedEncoder()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2, MaskBias = new() }));
        var error = Assert.Throws<InvalidOperationException>(() => OnnxEncoder.Export(encoder));
        Assert.Contains("Distil", error.Message);
        Assert.Contains("EncoderCheckpoint.Save", error.Message);
    }

    [Theory]
    [InlineData("", "features", "InputName")]
    [InlineData("x", "x", "must differ")]
    public void RefusesNames(string input, string output, string fault)
    {
        using var encoder = Scrambled(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 });
        Assert.Contains(fault, Assert.Throws<ArgumentException>(() => OnnxEncoder.Export(encoder, new() { InputName = input, OutputName = output })).Message);
    }

    [Fact]
    public void LeavesNoTensorsBehind()
    {
        using var encoder = Scrambled(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 12, Depth = 2, Heads = 2 });
        OnnxEncoder.Export(encoder);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        OnnxEncoder.Export(encoder);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    // Every weight random: the usual start values (biases 0, norms 1) would hide what is mixed up.
    internal static VisionEncoder Scrambled(VitOptions options, ImageNormalization? normalization = null)
    {
        var model = new VisionTransformer(options, seed: 11);
        using var generator = new Generator(12, CPU);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (name, weight) in model.named_parameters())
        {
            double spread = weight.dim() > 1 ? 1 / Math.Sqrt(weight[0].numel()) : 0.2;
            weight.normal_(name.Contains("norm") && name.EndsWith("weight") ? 1 : 0, spread, generator);
        }
        return new VisionEncoder(model, normalization: normalization);
    }

    private static void AssertSameFeatures(VisionEncoder encoder, byte[] onnx)
    {
        using var session = new InferenceSession(onnx);
        int size = encoder.ImageSize, width = encoder.FeatureDim;
        foreach (int rows in (int[])[1, 3, 16])
        {
            var random = new Random(rows);
            float[] pixels = Enumerable.Range(0, rows * 3 * size * size).Select(_ => (float)random.Next(256)).ToArray(), expected = new float[rows * width];
            encoder.Embed(pixels, rows, expected);
            using var results = session.Run([NamedOnnxValue.CreateFromTensor("pixels", new DenseTensor<float>(pixels, [rows, 3, size, size]))]);
            var actual = results.Single(r => r.Name == "features").AsTensor<float>();

            Assert.Equal([rows, width], actual.Dimensions.ToArray());
            Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max(), 0, Tolerance);
            Assert.True(expected.Max() - expected.Min() > 0.5, "the features say something");
        }
    }
}
