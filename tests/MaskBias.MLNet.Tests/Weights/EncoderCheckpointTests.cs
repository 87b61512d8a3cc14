using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights;

public sealed class EncoderCheckpointTests : IDisposable
{
    private const string VersionOne = """
        {
          "format": "maskbias.encoder", "version": 1,
          "architecture": {
            "imageSize": 16, "patchSize": 8, "embedDim": 12, "depth": 2, "heads": 3, "mlpRatio": 2, "dropPath": 0.1, "pooling": "Mean",
            "maskBias": { "relation": "Both", "kind": "Cosine", "sharedAcrossHeads": true, "layers": "LastHalf", "initialValue": 0.5 }
          },
          "normalization": { "mean": [0.5, 0.25, 0.125], "deviation": [0.5, 1, 2] },
          "head": { "outDim": 20, "hiddenDim": 10, "bottleneckDim": 6, "layers": 2, "useBatchNorm": true, "normalizeLastLayer": false }
        }
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("checkpoint", false)]
    [InlineData("checkpoint", true)]
    [InlineData("one.safetensors", true)]
    public void RoundTripsBitForBit(string name, bool guidedWithHead)
    {
        using var original = guidedWithHead ? Guided() : Plain();
        string path = folder.File(name);
        EncoderCheckpoint.Save(original, path);
        using var loaded = EncoderCheckpoint.Load(path);

        AssertSame(original, loaded);
        Assert.Equal(EncoderConfig.Of(original).ToJson(), EncoderConfig.Of(loaded).ToJson());
        Assert.False(loaded.Model.training);
        Assert.Equal(Embed(original), Embed(loaded));
        string[] files = name.EndsWith(".safetensors") ? [name] : [$"{name}{Path.DirectorySeparatorChar}config.json", $"{name}{Path.DirectorySeparatorChar}model.safetensors"];
        Assert.Equal(files, folder.Names);
    }

    [Fact]
    public void WeightsFileAloneIsACheckpointAndItsConfigCounts()
    {
        using var original = Plain();
        EncoderCheckpoint.Save(original, folder.Folder);
        File.WriteAllText(folder.File("config.json"), "a kill between the two files may leave an older one here");
        using var fromFolder = EncoderCheckpoint.Load(folder.Folder);
        using var fromFile = EncoderCheckpoint.Load(folder.File("model.safetensors"));
        AssertSame(original, fromFolder);
        AssertSame(original, fromFile);
    }

    [Fact]
    public void ReadsVersionOne()
    {
        var config = EncoderConfig.Parse(VersionOne, "here");
        Assert.Equal((16, 8, 12, 2, 3), (config.Architecture.ImageSize, config.Architecture.PatchSize, config.Architecture.EmbedDim, config.Architecture.Depth, config.Architecture.Heads));
        Assert.Equal((2.0, 0.1, FeaturePooling.Mean), (config.Architecture.MlpRatio, config.Architecture.DropPath, config.Architecture.Pooling));
        var bias = config.Architecture.MaskBias!;
        Assert.Equal((MaskRelation.Both, RelationKind.Cosine, true, BiasLayers.LastHalf, 0.5), (bias.Relation, bias.Kind, bias.SharedAcrossHeads, bias.Layers, bias.InitialValue));
        Assert.Equal([0.5f, 0.25f, 0.125f], config.Normalization.Mean);
        Assert.Equal([0.5f, 1f, 2f], config.Normalization.Deviation);
        Assert.Equal((20, 10, 6, 2, true, false), (config.Head!.OutDim, config.Head.HiddenDim, config.Head.BottleneckDim, config.Head.Layers, config.Head.UseBatchNorm, config.Head.NormalizeLastLayer));
    }

    [Fact]
    public void ConfigBesideForeignWeightsIsUsed()
    {
        var config = EncoderConfig.Parse(VersionOne, "");
        using var encoder = new VisionEncoder(new VisionTransformer(config.Architecture), normalization: config.Normalization);
        SafetensorsWriter.Write(folder.File("model.safetensors"), encoder.Model.state_dict().Select(t => KeyValuePair.Create("backbone." + t.Key, t.Value)));
        Assert.Contains("CheckpointLoadOptions.Heads", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(folder.Folder)).Message);

        File.WriteAllText(folder.File("config.json"), VersionOne[..VersionOne.IndexOf("\"head\"")] + "\"head\": null }");
        using var loaded = EncoderCheckpoint.Load(folder.Folder);
        AssertSame(encoder, loaded);
    }

    [Theory]
    [InlineData("other.pth")]
    [InlineData("other.safetensors")]
    public void WeightsOfAnotherLayoutBesideACheckpointAreNotReadAsIts(string name)
    {
        using var own = Guided();
        using var other = Plain();
        EncoderCheckpoint.Save(own, folder.Folder);
        EncoderExport.Save(other, folder.File(name), ExportLayout.Dino);
        Assert.Equal(CheckpointLayout.Dino, EncoderCheckpoint.Describe(folder.File(name), new() { Heads = 3 }).Layout);
        using var loaded = EncoderCheckpoint.Load(folder.File(name), new() { Heads = 3 });
        AssertSame(other.Model, loaded.Model);
        using var again = EncoderCheckpoint.Load(folder.Folder);
        AssertSame(own, again);
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 3", "version 3")]
    [InlineData("\"version\": 1", "\"version\": 1.5", "version is not a whole number")]
    [InlineData("maskbias.encoder", "something.else", "something.else")]
    [InlineData("\"heads\": 3", "\"heads\": 5", "Heads is 5")]
    [InlineData("\"heads\": 3,", "", "heads")]
    [InlineData("\"heads\": 3", "\"heads\": 3, \"heads\": 3", "heads")]
    [InlineData("\"heads\": 3", "\"heads\": 3, \"brains\": 1", "brains")]
    [InlineData("\"depth\": 2", "\"depth\": -2", "Depth is -2")]
    [InlineData("\"depth\": 2", "\"depth\": 1e30", "depth")]
    [InlineData("\"Mean\"", "\"Max\"", "ClassToken, Mean")]
    [InlineData("\"Mean\"", "1", "ClassToken, Mean")]
    [InlineData("\"outDim\": 20", "\"outDim\": 0", "OutDim is 0")]
    [InlineData("[0.5, 1, 2]", "[0.5, 0, 2]", "Normalization")]
    [InlineData("[0.5, 1, 2]", "[0.5, 2]", "Normalization")]
    [InlineData("[0.5, 1, 2]", "null", "deviation")]
    public void RefusesConfigurations(string good, string bad, string fault)
    {
        var error = Assert.Throws<InvalidDataException>(() => EncoderConfig.Parse(VersionOne.Replace(good, bad), "model.safetensors"));
        Assert.Contains(fault, error.Message);
        Assert.StartsWith("model.safetensors", error.Message);
    }

    [Fact]
    public void ASmallFileIsNoLargeEncoderAndBytesAreNoWeights()
    {
        using var encoder = new VisionEncoder(WeightLayers.WithoutStartValues(() => new VisionTransformer(VitOptions.Tiny())));
        string path = folder.File("small.safetensors");
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(path, [new("backbone.cls_token", zeros(1, 1, 192)), new("padding", zeros(3 << 20, dtype: ScalarType.Byte))],
            new Dictionary<string, string> { [EncoderCheckpoint.ConfigKey] = EncoderConfig.Of(encoder).ToJson() });
        Assert.Contains("holds 192 weights; its configuration describes an encoder of 5",
            Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path)).Message);
    }

    [Fact]
    public void ListsTwentyFaultsAndTheirNumber()
    {
        using var encoder = Plain();
        string path = folder.File("bad.safetensors"), config = EncoderConfig.Of(encoder).ToJson();
        using var scope = NewDisposeScope();
        var weights = encoder.Model.state_dict().ToDictionary(t => "backbone." + t.Key, t => t.Value);
        weights.Remove("backbone.norm.weight");
        weights["backbone.pos_embed"] = zeros(1, 3, 12);
        weights["backbone.cls_token"] = zeros(1, 1, 12, dtype: ScalarType.Int64);
        weights["stranger"] = zeros(2);
        string message = Refusal();
        Assert.Contains("4 of the tensors", message);
        Assert.Contains("backbone.norm.weight [12] is missing", message);
        Assert.Contains("stranger [2] is unexpected", message);
        Assert.Contains("backbone.pos_embed is [1, 3, 12]; it must be [1, 5, 12]", message);
        Assert.Contains("backbone.cls_token is Int64; it must be Float32", message);

        for (int i = 0; i < 30; i++) weights[$"extra{i}"] = zeros(1);
        message = Refusal();
        Assert.Contains("34 of the tensors", message);
        Assert.Contains("and 14 more", message);
        Assert.Equal(22, message.Split('\n').Length);

        string Refusal()
        {
            SafetensorsWriter.Write(path, weights, new Dictionary<string, string> { [EncoderCheckpoint.ConfigKey] = config });
            return Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path)).Message;
        }
    }

    [Fact]
    public void SmallFileCannotAskForAHugeEncoder()
    {
        string path = folder.File("huge.safetensors");
        string config = VersionOne.Replace("\"embedDim\": 12, \"depth\": 2, \"heads\": 3", "\"embedDim\": 16384, \"depth\": 256, \"heads\": 8");
        using var one = ones(1);
        SafetensorsWriter.Write(path, [new("backbone.norm.weight", one)], new Dictionary<string, string> { [EncoderCheckpoint.ConfigKey] = config });
        Assert.Contains("holds 1 weights", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path)).Message);
    }

    [Fact]
    public void CountsParametersAsTheModulesDo()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 20, Depth = 3, Heads = 2, MlpRatio = 2.5 }),
            new DinoHead(20, new() { OutDim = 30, HiddenDim = 14, BottleneckDim = 7, Layers = 4 }));
        long counted = encoder.Model.parameters().Concat(encoder.Head!.parameters()).Sum(p => p.NumberOfElements);
        Assert.Equal(counted, EncoderConfig.CountParameters(encoder.Model.Options, encoder.Head?.Options, encoder.Decoder?.Options));
    }

    [Fact]
    public void SaysWhereNothingIs()
    {
        string nowhere = folder.File("nowhere");
        Assert.Contains("nowhere", Assert.Throws<FileNotFoundException>(() => EncoderCheckpoint.Load(nowhere)).Message);
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => EncoderCheckpoint.Load(folder.Folder)).Message);
    }

    [Fact]
    public void VersionOneHasLearnedPositionsAndNoDecoderAndIsNotWrittenAnyMore()
    {
        var config = EncoderConfig.Parse(VersionOne, "here");
        Assert.Equal((2, PositionKind.Learned, (MaeDecoderOptions?)null), (config.Version, config.Architecture.Positions, config.Decoder));
        Assert.Equal(config.ToJson(), EncoderConfig.Parse(config.ToJson(), "there").ToJson());
        string incomplete = config.ToJson().Replace("\"classTokenPosition\": true,", "");
        var error = Assert.Throws<InvalidDataException>(() => EncoderConfig.Parse(incomplete, "x"));
        Assert.Contains("classTokenPosition", error.Message);
    }

    [Fact]
    public void KeepsTheDecoder()
    {
        var architecture = SmallOptions();
        (architecture.Positions, architecture.Pooling) = (PositionKind.SinCos, FeaturePooling.Mean);
        using var original = new VisionEncoder(new VisionTransformer(architecture, seed: 7),
            decoder: new MaeDecoder(architecture, new() { EmbedDim = 8, Depth = 2, Heads = 2, NormalizePixels = true }, seed: 8));
        EncoderCheckpoint.Save(original, folder.File("mae"));
        using var loaded = EncoderCheckpoint.Load(folder.File("mae"));
        AssertSame(original, loaded);
        AssertSame(original.Decoder!, loaded.Decoder!);
        Assert.Equal((8, 2, 2, true, PositionKind.SinCos), (loaded.Decoder!.Options.EmbedDim, loaded.Decoder.Options.Depth,
            loaded.Decoder.Options.Heads, loaded.Decoder.Options.NormalizePixels, loaded.Model.Options.Positions));
        long weights = original.Model.parameters().Concat(original.Decoder!.parameters()).Sum(p => p.NumberOfElements);
        Assert.Equal(weights, EncoderConfig.CountParameters(original.Model.Options, original.Head?.Options, original.Decoder?.Options));

        string bad = EncoderConfig.Of(original).ToJson().Replace("\"heads\": 2", "\"heads\": 3");
        Assert.Contains("Heads is 3; it must divide EmbedDim 8.",
            Assert.Throws<InvalidDataException>(() => EncoderConfig.Parse(bad, "here")).Message);
        using var other = new VisionEncoder(new VisionTransformer(architecture), decoder: new MaeDecoder(VitOptions.Tiny(), new()));
        Assert.Contains("The decoder is for tokens of 192",
            Assert.Throws<InvalidOperationException>(() => EncoderCheckpoint.Save(other, folder.File("x"))).Message);
    }

    [Fact]
    public void RefusesAHeadOfAnotherWidth()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(SmallOptions()), new DinoHead(5, new() { OutDim = 4, HiddenDim = 4, BottleneckDim = 4 }));
        Assert.Contains("InputDim is 5", Assert.Throws<InvalidOperationException>(() => EncoderCheckpoint.Save(encoder, folder.File("x"))).Message);
    }

    [Fact]
    public void LoadsPartOfAFileByPrefix()
    {
        using var model = new VisionTransformer(SmallOptions(), seed: 1);
        using var other = new VisionTransformer(SmallOptions(), seed: 2);
        string path = folder.File("two.safetensors");
        SafetensorsWriter.Write(path, model.state_dict().Select(t => KeyValuePair.Create("student." + t.Key, t.Value))
            .Concat(other.state_dict().Select(t => KeyValuePair.Create("teacher." + t.Key, t.Value))));
        using var file = SafetensorsFile.Open(path);
        StateLoader.Load(model, file, "teacher.");
        AssertSame(other, model);
    }

    private static VitOptions SmallOptions() => new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 2, Heads = 3 };

    private static VisionEncoder Plain() => new(new VisionTransformer(SmallOptions(), seed: 7));

    private static VisionEncoder Guided()
    {
        var config = EncoderConfig.Parse(VersionOne, "");
        var model = new VisionTransformer(config.Architecture, seed: 3);
        var head = new DinoHead(12, config.Head!, seed: 4);
        using (no_grad())
        {
            foreach (var weight in model.BiasParameters) weight.fill_(1 / 3.0);
        }
        return new VisionEncoder(model, head, config.Normalization);
    }

    private static float[] Embed(VisionEncoder encoder)
    {
        float[] pixels = Enumerable.Range(0, 2 * 3 * 16 * 16).Select(i => i * 37 % 256f).ToArray(), features = new float[2 * encoder.FeatureDim];
        encoder.Embed(pixels, 2, features);
        return features;
    }

    private static void AssertSame(VisionEncoder expected, VisionEncoder actual)
    {
        AssertSame(expected.Model, actual.Model);
        Assert.Equal(expected.Head is null, actual.Head is null);
        if (expected.Head is not null) AssertSame(expected.Head, actual.Head!);
        Assert.Equal(expected.Normalization.Mean, actual.Normalization.Mean);
        Assert.Equal(expected.Normalization.Deviation, actual.Normalization.Deviation);
    }

    private static void AssertSame(nn.Module expected, nn.Module actual)
    {
        Dictionary<string, Tensor> left = expected.state_dict(), right = actual.state_dict();
        Assert.Equal(left.Keys, right.Keys);
        foreach (var (name, tensor) in left)
        {
            Assert.True(tensor.bytes.SequenceEqual(right[name].bytes), name);
            Assert.Equal(tensor.requires_grad, right[name].requires_grad);
        }
    }
}
