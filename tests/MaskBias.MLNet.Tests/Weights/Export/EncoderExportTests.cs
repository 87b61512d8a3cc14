using System.Text.Json;
using MaskBias.MLNet.Tests.Weights.Onnx;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using MaskBias.MLNet.Weights.KeyMaps;
using MaskBias.MLNet.Weights.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.Export;

public sealed class EncoderExportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> TimmVariants => ["plain", "normalized mean", "mean", "registers", "swiglu", "no class position", "no class position, registers"];

    [Theory]
    [MemberData(nameof(TimmVariants))]
    public void Timm_weights_read_back_to_the_same_encoder(string variant)
    {
        var options = Options();
        options.PositionResampling = PositionResampling.Antialiased;
        if (variant.Contains("registers")) (options.RegisterTokens, options.LayerScale) = (4, 0.5);
        if (variant.Contains("no class")) options.ClassTokenPosition = false;
        if (variant.Contains("mean")) options.Pooling = variant == "mean" ? FeaturePooling.Mean : FeaturePooling.NormalizedMean;
        if (variant == "swiglu") (options.FeedForward, options.LayerScale) = (FeedForwardKind.SwiGlu, 1);
        using var encoder = OnnxEncoderTests.Scrambled(options, new([0.5f, 0.4f, 0.3f], [0.2f, 0.3f, 0.4f]));
        string path = folder.File("model.safetensors");
        EncoderExport.Save(encoder, path, ExportLayout.Timm);

        var found = EncoderCheckpoint.Describe(folder.Folder);
        Assert.Equal((CheckpointLayout.Timm, options.Pooling, 3), (found.Layout, found.Architecture.Pooling, found.Architecture.Heads));
        using var loaded = EncoderCheckpoint.Load(folder.Folder);
        Assert.Equal(encoder.Normalization.Mean, loaded.Normalization.Mean);
        AssertSameFeatures(encoder, loaded);

        string again = folder.File("again/model.safetensors");
        EncoderExport.Save(loaded, again, ExportLayout.Timm);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(again));
    }

    [Fact]
    public void Dino_and_mae_read_back_bit_for_bit()
    {
        using var dino = new VisionEncoder(new VisionTransformer(Options(), 3), new DinoHead(24, new() { OutDim = 20, HiddenDim = 10, BottleneckDim = 6 }, 4));
        EncoderExport.Save(dino, folder.File("dino.safetensors"), ExportLayout.Dino);
        using var dinoBack = EncoderCheckpoint.Load(folder.File("dino.safetensors"), new() { Heads = 3 });
        AssertSameWeights(dino.Model, dinoBack.Model);
        AssertSameWeights(dino.Head!, dinoBack.Head!);

        var options = Options();
        (options.Positions, options.PositionResampling) = (PositionKind.SinCos, PositionResampling.Size);
        using var mae = new VisionEncoder(new VisionTransformer(options, 5), decoder: new MaeDecoder(options, new() { EmbedDim = 16, Depth = 2, Heads = 4 }, 6));
        EncoderExport.Save(mae, folder.File("mae.safetensors"), ExportLayout.Mae);
        using var maeBack = EncoderCheckpoint.Load(folder.File("mae.safetensors"), new() { Heads = 3, DecoderHeads = 4 });
        AssertSameWeights(mae.Model, maeBack.Model);
        AssertSameWeights(mae.Decoder!, maeBack.Decoder!);
        Assert.Equal((PositionKind.SinCos, 4), (maeBack.Model.Options.Positions, maeBack.Decoder!.Options.Heads));
    }

    [Theory]
    [InlineData(ExportLayout.Timm)]
    [InlineData(ExportLayout.Dino)]
    [InlineData(ExportLayout.Mae)]
    public void Pth_files_read_back_bit_for_bit(ExportLayout layout)
    {
        var options = Options();
        if (layout == ExportLayout.Mae) (options.Positions, options.PositionResampling) = (PositionKind.SinCos, PositionResampling.Size);
        using var encoder = new VisionEncoder(new VisionTransformer(options, 5),
            layout == ExportLayout.Dino ? new DinoHead(24, new() { OutDim = 20, HiddenDim = 10, BottleneckDim = 6 }, 4) : null,
            decoder: layout == ExportLayout.Mae ? new MaeDecoder(options, new() { EmbedDim = 16, Depth = 2, Heads = 4 }, 6) : null);
        string path = folder.File("model.pth"), again = folder.File("again.pth");
        EncoderExport.Save(encoder, path, layout);
        using var loaded = EncoderCheckpoint.Load(path, new() { Heads = 3, DecoderHeads = 4 });
        AssertSameWeights(encoder.Model, loaded.Model);
        if (encoder.Head is { } head) AssertSameWeights(head, loaded.Head!);
        if (encoder.Decoder is { } decoder) AssertSameWeights(decoder, loaded.Decoder!);
        EncoderExport.Save(loaded, again, layout);
        using var left = TensorFile.Open(path);
        using var right = TensorFile.Open(again);
        Assert.Equal(left.Entries.Select(e => e.Name), right.Entries.Select(e => e.Name));
        using var scope = NewDisposeScope();
        foreach (var entry in left.Entries) Assert.True(left.Read(entry.Name).bytes.SequenceEqual(right.Read(entry.Name).bytes), entry.Name);
    }

    public static TheoryData<ExportLayout, FeaturePooling, bool> Poolings
    {
        get
        {
            var data = new TheoryData<ExportLayout, FeaturePooling, bool>();
            foreach (var layout in Enum.GetValues<ExportLayout>())
            {
                foreach (var pooling in Enum.GetValues<FeaturePooling>()) data.Add(layout, pooling, false);
                foreach (var pooling in Enum.GetValues<FeaturePooling>()) data.Add(layout, pooling, true);
            }
            return data;
        }
    }

    // As a masked autoencoder leaves it, with its decoder in MAE's layout, and as others do.
    [Theory]
    [MemberData(nameof(Poolings))]
    public void Every_pooling_reads_back_or_is_refused(ExportLayout layout, FeaturePooling pooling, bool mae)
    {
        var options = Options();
        (options.Pooling, options.PositionResampling) = (pooling, layout == ExportLayout.Timm && !mae ? PositionResampling.Antialiased : PositionResampling.Size);
        if (mae) options.Positions = PositionKind.SinCos;
        var decoder = mae && layout == ExportLayout.Mae ? new MaeDecoder(options, new() { EmbedDim = 16, Depth = 1, Heads = 4 }, 6) : null;
        using var encoder = new VisionEncoder(new VisionTransformer(options, 5), decoder: decoder);
        string path = folder.File("weights.pth");
        if (layout == ExportLayout.Dino && pooling != FeaturePooling.ClassToken)
        {
            string refusal = Assert.Throws<InvalidOperationException>(() => EncoderExport.Save(encoder, path, layout)).Message;
            Assert.Contains($"Pooling is {pooling}, and DINO's features are the class token: use ExportLayout.Timm", refusal);
            Assert.Empty(folder.Names);
            return;
        }
        EncoderExport.Save(encoder, path, layout);
        using (var file = TensorFile.Open(path))
        {
            string prefix = layout switch { ExportLayout.Timm => "", ExportLayout.Dino => "teacher.backbone.", _ => "model." };
            string norm = pooling == FeaturePooling.NormalizedMean ? "fc_norm.weight" : "norm.weight";
            Assert.Contains(prefix + norm, file.Entries.Select(e => e.Name));
        }

        bool untold = layout == ExportLayout.Mae && pooling == FeaturePooling.Mean;
        var load = new CheckpointLoadOptions
        {
            Heads = 3, DecoderHeads = 4, Pooling = untold ? pooling : null, PositionResampling = options.PositionResampling,
        };
        using var loaded = EncoderCheckpoint.Load(path, load);
        Assert.Equal((pooling, decoder is null), (loaded.Model.Options.Pooling, loaded.Decoder is null));
        if (mae && layout == ExportLayout.Mae) Assert.Equal(PositionKind.SinCos, loaded.Model.Options.Positions);
        AssertSameFeatures(encoder, loaded);
        load.Pooling = null;
        var found = EncoderCheckpoint.Describe(path, load);
        bool guessed = layout == ExportLayout.Dino || (layout == ExportLayout.Mae && pooling != FeaturePooling.NormalizedMean);
        Assert.Equal(guessed, found.Assumptions.Any(a => a.Contains("CheckpointLoadOptions.Pooling")));
        if (guessed) Assert.Equal(FeaturePooling.ClassToken, found.Architecture.Pooling);
    }

    [Fact]
    public void Pth_files_have_the_bytes_that_torch_load_expects()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("one.pth");
        PyTorchWriter.Write(path, "model", [new("w", torch.tensor(new float[] { 1, 2 }).reshape(1, 2))]);
        using var zip = System.IO.Compression.ZipFile.OpenRead(path);
        Assert.Equal(["archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/version"], zip.Entries.Select(e => e.FullName));
        Assert.All(zip.Entries, e => Assert.Equal(e.Length, e.CompressedLength));
        Assert.Equal([0, 0, 128, 63, 0, 0, 0, 64], Bytes("archive/data/0"));
        Assert.Equal("little"u8, Bytes("archive/byteorder"));
        // {'model': {'w': _rebuild_tensor_v2(persistent ('storage', FloatStorage, '0', 'cpu', 2), 0, (1, 2), (2, 1), False, OrderedDict())}}
        byte[] expected =
        [
            .. "\u0002}(X\u0005\0\0\0model}(X\u0001\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"u8,
            .. "X\u0001\0\0\00X\u0003\0\0\0cpuJ\u0002\0\0\0tQJ\0\0\0\0(J\u0001\0\0\0J\u0002\0\0\0t(J\u0002\0\0\0J\u0001\0\0\0t"u8,
            0x89, .. "ccollections\nOrderedDict\n)RtRuu."u8,
        ];
        Assert.Equal([0x80, .. expected], Bytes("archive/data.pkl"));

        byte[] Bytes(string name)
        {
            using var stream = zip.GetEntry(name)!.Open();
            var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return bytes.ToArray();
        }
    }

    [Fact]
    public void What_a_layout_cannot_hold_is_listed()
    {
        var options = Options();
        (options.RegisterTokens, options.LayerScale, options.MaskBias) = (2, 1, new());
        using var encoder = new VisionEncoder(new VisionTransformer(options));
        string message = Assert.Throws<InvalidOperationException>(() => EncoderExport.Save(encoder, folder.File("x.pth"), ExportLayout.Dino)).Message;
        foreach (string fault in (string[])["guided by masks", "RegisterTokens is 2", "LayerScale"]) Assert.Contains(fault, message);
        using var plain = new VisionEncoder(new VisionTransformer(Options()));
        Assert.Contains(".safetensors", Assert.Throws<ArgumentException>(() => EncoderExport.Save(plain, folder.File("x.npz"), ExportLayout.Timm)).Message);
        Assert.Empty(folder.Names);
    }

    [Theory]
    [InlineData(1e-12)]
    [InlineData(1e-6)]
    [InlineData(1e-5)]
    public void The_norm_epsilon_comes_back_from_timm_or_is_refused(double epsilon)
    {
        var options = Options();
        options.NormEpsilon = epsilon;
        using var encoder = new VisionEncoder(new VisionTransformer(options, 1));
        string path = folder.File("model.safetensors");
        if (epsilon > 1e-6)
        {
            Assert.Contains("NormEpsilon is 1E-05, not 1E-06", Assert.Throws<InvalidOperationException>(() => EncoderExport.Save(encoder, path, ExportLayout.Timm)).Message);
            return;
        }
        EncoderExport.Save(encoder, path, ExportLayout.Timm);
        Assert.Equal(epsilon, EncoderCheckpoint.Describe(path).Architecture.NormEpsilon);
        Assert.Equal(epsilon != 1e-6, File.ReadAllText(folder.File("config.json")).Contains("layer_norm_eps"));
    }

    [Fact]
    public void A_checkpoints_own_configuration_is_not_replaced()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(Options()));
        EncoderCheckpoint.Save(encoder, folder.Folder);
        string config = File.ReadAllText(folder.File("config.json"));
        var error = Assert.Throws<ArgumentException>(() => EncoderExport.Save(encoder, folder.File("timm.safetensors"), ExportLayout.Timm));
        Assert.Contains("export to another folder", error.Message);
        Assert.Equal(config, File.ReadAllText(folder.File("config.json")));
        Assert.Equal(["config.json", "model.safetensors"], folder.Names);
    }

    [Fact]
    public void A_config_of_other_weights_is_not_replaced_and_an_exports_own_is()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(Options(), 1));
        var options = Options();
        (options.Pooling, options.PositionResampling) = (FeaturePooling.Mean, PositionResampling.Antialiased);
        using var other = new VisionEncoder(new VisionTransformer(options, 2));
        EncoderExport.Save(encoder, folder.File("one.safetensors"), ExportLayout.Timm);
        EncoderExport.Save(other, folder.File("one.safetensors"), ExportLayout.Timm);
        using (var loaded = EncoderCheckpoint.Load(folder.File("one.safetensors"))) AssertSameFeatures(other, loaded);

        string[] before = folder.Names;
        string config = File.ReadAllText(folder.File("config.json"));
        var error = Assert.Throws<ArgumentException>(() => EncoderExport.Save(encoder, folder.File("two.pth"), ExportLayout.Timm));
        Assert.Contains($"{folder.File("config.json")} is another, which may be that of other weights: export to another folder", error.Message);
        Assert.Equal(before, folder.Names);
        EncoderExport.Save(other, folder.File("two.pth"), ExportLayout.Timm);           // the same configuration
        Assert.Throws<ArgumentException>(() => EncoderExport.Save(encoder, folder.File("one.safetensors"), ExportLayout.Timm));
        Assert.Equal(config, File.ReadAllText(folder.File("config.json")));
    }

    [Fact]
    public void A_card_lies_beside_every_export()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(Options()));
        var card = new ModelCard { Name = "Beetles", License = "CC-BY-4.0", Description = "Tells beetles | bugs apart." };
        (card.Recipe["epochs"], card.Data["images"], card.Metrics["k-NN accuracy, held out"]) = ("30", 1234, 0.875);
        OnnxEncoder.Export(encoder, folder.File("encoder.onnx"), card: card);
        EncoderExport.Save(encoder, folder.File("encoder.pth"), ExportLayout.Dino, card);
        Assert.Equal(["encoder.onnx", "encoder.onnx.card.json", "encoder.onnx.card.md", "encoder.pth", "encoder.pth.card.json", "encoder.pth.card.md"], folder.Names);

        using var json = JsonDocument.Parse(File.ReadAllText(folder.File("encoder.onnx.card.json")));
        Assert.Equal("CC-BY-4.0", json.RootElement.GetProperty("license").GetString());
        Assert.Equal(24, json.RootElement.GetProperty("architecture").GetProperty("embedDim").GetInt32());
        Assert.Equal(1234, json.RootElement.GetProperty("data").GetProperty("images").GetInt64());
        Assert.Equal(0.875, json.RootElement.GetProperty("metrics").GetProperty("k-NN accuracy, held out").GetDouble());
        Assert.Equal("0.1.0", json.RootElement.GetProperty("versions").GetProperty("MaskBias.MLNet").GetString());
        string markdown = File.ReadAllText(folder.File("encoder.onnx.card.md"));
        foreach (string part in (string[])["# Beetles", "CC-BY-4.0", "| images | 1234 |", "| k-NN accuracy, held out | 0.875 |", "opset 18"]) Assert.Contains(part, markdown);
        Assert.Contains("not stated", Card(new ModelCard()));

        string Card(ModelCard empty)
        {
            OnnxEncoder.Export(encoder, folder.File("empty.onnx"), card: empty);
            return File.ReadAllText(folder.File("empty.onnx.card.md"));
        }
    }

    [Fact]
    public void Metrics_that_are_not_finite_are_null_in_the_card()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(Options()));
        var card = new ModelCard();
        (card.Metrics["loss"], card.Metrics["accuracy"], card.Metrics["ratio"]) = (double.NaN, 0.5, double.PositiveInfinity);
        OnnxEncoder.Export(encoder, folder.File("encoder.onnx"), card: card);
        EncoderExport.Save(encoder, folder.File("encoder.pth"), ExportLayout.Mae, card);
        foreach (string name in (string[])["encoder.onnx", "encoder.pth"])
        {
            using var json = JsonDocument.Parse(File.ReadAllText(folder.File(name + ".card.json")));
            Assert.Equal("""{"loss":null,"accuracy":0.5,"ratio":null}""", JsonSerializer.Serialize(json.RootElement.GetProperty("metrics")));
            Assert.Contains("| loss | none |", File.ReadAllText(folder.File(name + ".card.md")));
        }
    }

    [Fact]
    public void What_is_wrong_with_a_card_is_found_before_anything_is_written()
    {
        using var encoder = new VisionEncoder(new VisionTransformer(Options()), normalization: new([float.NaN, 0, 0], [1, 1, 1]));
        Assert.ThrowsAny<Exception>(() => OnnxEncoder.Export(encoder, folder.File("encoder.onnx")));
        Assert.ThrowsAny<Exception>(() => EncoderExport.Save(encoder, folder.File("encoder.pth"), ExportLayout.Mae));
        Assert.Empty(folder.Names);
    }

    private static void AssertSameFeatures(VisionEncoder expected, VisionEncoder actual)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9, CPU);
        foreach (int size in (int[])[32, 48])
        {
            var images = randn([2, 3, size, size], generator: generator);
            Near.Equal(expected.Model.forward(images), actual.Model.forward(images), 1e-6, $"features at {size}");
        }
    }

    private static void AssertSameWeights(nn.Module expected, nn.Module actual)
    {
        var (left, right) = (expected.state_dict(), actual.state_dict());
        Assert.Equal(left.Keys, right.Keys);
        foreach (var (name, tensor) in left) Assert.True(tensor.bytes.SequenceEqual(right[name].bytes), name);
    }

    private static VitOptions Options() => new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 };
}
