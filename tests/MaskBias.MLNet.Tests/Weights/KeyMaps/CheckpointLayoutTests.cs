using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.KeyMaps;

public sealed class CheckpointLayoutTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [Trait("Category", "Parity")]
    [InlineData("dino_vit/backbone.safetensors", CheckpointLayout.Dino, "32/8 48x2", PositionResampling.Offset)]
    [InlineData("dinov2_vit/backbone.safetensors", CheckpointLayout.DinoV2, "70/14 48x2 scaled", PositionResampling.Offset)]
    [InlineData("hf_dinov2", CheckpointLayout.HuggingFaceDinoV2, "70/14 48x2 scaled", PositionResampling.Size)]
    [InlineData("hf_dinov2_reg", CheckpointLayout.HuggingFaceDinoV2, "70/14 32x2 scaled 4 registers", PositionResampling.Antialiased)]
    [InlineData("hf_dinov2_swiglu", CheckpointLayout.HuggingFaceDinoV2, "70/14 32x2 scaled gated", PositionResampling.Size)]
    [InlineData("hf_vit", CheckpointLayout.HuggingFaceVit, "32/8 48x2", PositionResampling.Size)]
    [InlineData("timm_vit", CheckpointLayout.Timm, "32/8 48x2", PositionResampling.Antialiased)]
    [InlineData("timm_vit_reg", CheckpointLayout.Timm, "32/8 24x2 scaled 4 registers", PositionResampling.Antialiased)]
    [InlineData("mae_forward/model.safetensors", CheckpointLayout.Mae, "", PositionResampling.Size)]
    [InlineData("mae_finetune/model_cls.safetensors", CheckpointLayout.Timm, "", PositionResampling.Antialiased)]
    [InlineData("mae_finetune/model_global_pool.safetensors", CheckpointLayout.Timm, "", PositionResampling.Antialiased)]
    public void Published_layouts_are_recognised(string name, CheckpointLayout layout, string architecture, PositionResampling resampling)
    {
        Assert.SkipUnless(Path.Exists(Fixtures.Path(name)), $"{name} is not there: name a folder that has it in MASKBIAS_FIXTURES.");
        var options = new CheckpointLoadOptions { Heads = 2, DecoderHeads = 2 };
        var found = EncoderCheckpoint.Describe(Fixtures.Path(name), options);
        Assert.Equal((layout, resampling), (found.Layout, found.Architecture.PositionResampling));
        var a = found.Architecture;
        string text = $"{a.ImageSize}/{a.PatchSize} {a.EmbedDim}x{a.Depth}" + (a.LayerScale is null ? "" : " scaled")
            + (a.RegisterTokens > 0 ? $" {a.RegisterTokens} registers" : "") + (a.FeedForward == FeedForwardKind.SwiGlu ? " gated" : "");
        if (architecture.Length > 0) Assert.Equal(architecture, text);
        Assert.Equal(layout == CheckpointLayout.Mae, found.Decoder is not null);
        Assert.Equal(name.Contains("global_pool"), a.Pooling == FeaturePooling.NormalizedMean);
        EncoderCheckpoint.Load(Fixtures.Path(name), options).Dispose();
    }

    [Fact]
    public void A_training_checkpoint_has_a_teacher_and_a_student()
    {
        using var teacher = new VisionTransformer(Options(), 1);
        using var student = new VisionTransformer(Options(), 2);
        using var head = new DinoHead(24, new() { OutDim = 20, HiddenDim = 10, BottleneckDim = 6, Layers = 2 }, 3);
        string path = Write([
            .. Named("student.module.backbone.", student), .. Named("student.module.head.", head),
            .. Named("teacher.backbone.", teacher), .. Named("teacher.head.", head),
        ]);
        using var first = EncoderCheckpoint.Load(path, new() { Heads = 3 });
        using var second = EncoderCheckpoint.Load(path, new() { Heads = 3, Branch = CheckpointBranch.Student });
        AssertSame(teacher, first.Model);
        AssertSame(student, second.Model);
        Assert.Equal((20, 10, 6, 2, true), (first.Head!.Options.OutDim, first.Head.Options.HiddenDim, first.Head.Options.BottleneckDim, first.Head.Options.Layers, first.Head.Options.NormalizeLastLayer));
        string text = EncoderCheckpoint.Describe(path, new() { Heads = 3 }).ToString();
        foreach (string part in (string[])["DINO (teacher.backbone)", "24 wide, 2 blocks, 3 heads", "20 prototypes", "left out: student.module.backbone.cls_token"])
            Assert.Contains(part, text);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Heads_of_other_depths_are_found(int layers)
    {
        using var model = new VisionTransformer(Options(), 1);
        using var head = new DinoHead(24, new() { OutDim = 20, HiddenDim = 10, BottleneckDim = 6, Layers = layers, UseBatchNorm = layers > 1, NormalizeLastLayer = false }, 3);
        using (no_grad()) head.state_dict()["last_layer.weight_g"].mul_(2);
        string path = Write([.. Named("teacher.backbone.", model), .. Named("teacher.head.", head)]);
        using var loaded = EncoderCheckpoint.Load(path, new() { Heads = 3 });
        AssertSame(head, loaded.Head!);
        Assert.False(loaded.Head!.Options.NormalizeLastLayer);
    }

    [Fact]
    public void Blocks_in_chunks_are_counted_through()
    {
        var options = Options();
        options.LayerScale = 1;
        using var model = new VisionTransformer(options, 1);
        using var token = zeros(1, 24);
        string path = Write([.. Named("teacher.backbone.", model).Select(Chunked), new("teacher.backbone.mask_token", token)]);
        var found = EncoderCheckpoint.Describe(path, new() { Heads = 3 });
        Assert.Equal((CheckpointLayout.DinoV2, 2), (found.Layout, found.Architecture.Depth));
        Assert.Contains(found.LeftOut, name => name.EndsWith("mask_token"));
        using var loaded = EncoderCheckpoint.Load(path, new() { Heads = 3 });
        AssertSame(model, loaded.Model);

        static KeyValuePair<string, Tensor> Chunked(KeyValuePair<string, Tensor> weight) =>
            new(weight.Key.Replace("blocks.0.", "blocks.0.0.").Replace("blocks.1.", "blocks.1.1."), weight.Value);
    }

    [Fact]
    public void Positions_of_registers_go_into_them()
    {
        var options = Options();
        (options.RegisterTokens, options.LayerScale) = (4, 1);
        using var model = new VisionTransformer(options, 1);
        using var scope = NewDisposeScope();
        var weights = Named("", model).ToDictionary();
        var positions = weights["pos_embed"];
        var ofRegisters = ones(1, 4, 24) * 0.25f;
        weights["pos_embed"] = cat([positions[.., ..1], ofRegisters, positions[.., 1..]], dim: 1);
        weights["reg_token"] = weights["register_tokens"];
        weights.Remove("register_tokens");
        using var loaded = EncoderCheckpoint.Load(Write([.. weights]), new() { Heads = 3 });
        Near.Equal(positions, loaded.Model.state_dict()["pos_embed"], 0, "positions");
        Near.Equal(weights["reg_token"] + 0.25f, loaded.Model.state_dict()["register_tokens"], 0, "registers");
    }

    [Theory]
    [InlineData(384, 6)]
    [InlineData(1280, 16)]
    public void Heads_follow_the_width_where_nothing_says_them(int width, int heads)
    {
        using var model = new VisionTransformer(new() { ImageSize = 16, PatchSize = 8, EmbedDim = width, Depth = 1, Heads = heads });
        var found = EncoderCheckpoint.Describe(Write([.. Named("", model)]));
        Assert.Equal(heads, found.Architecture.Heads);
        Assert.Contains(found.Assumptions, a => a.Contains($"{heads} attention heads"));
    }

    [Theory]
    [InlineData(ScalarType.Byte, 257, 16)]
    [InlineData(ScalarType.Float32, 1 + 4096 * 4096, 4)]
    [InlineData(ScalarType.Float16, 2, 1 << 20)]
    [InlineData(ScalarType.Float32, 257, 0)]
    public void Positions_that_no_encoder_has_are_not_read_to_recognise_a_file(ScalarType type, long rows, long width)
    {
        var file = new Unreadable([new("cls_token", type, [1, 1, width]), new("pos_embed", type, [1, rows, width])]);
        Assert.Equal(CheckpointLayout.Dino, new CheckpointReader(file, CheckpointBranch.Teacher).Layout);
    }

    [Fact]
    public void Half_precision_weights_are_widened()
    {
        using var model = new VisionTransformer(Options(), 1);
        using var scope = NewDisposeScope();
        foreach (var type in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float16])
        {
            string path = Write([.. Named("", model).Select(w => KeyValuePair.Create(w.Key, w.Value.to_type(type)))]);
            using var loaded = EncoderCheckpoint.Load(path, new() { Heads = 3 });
            foreach (var (name, weight) in model.state_dict())
                Near.Equal(weight.to_type(type).to_type(ScalarType.Float32), loaded.Model.state_dict()[name], 0, name);
        }
    }

    [Theory]
    [InlineData("""{"hidden_size": 768""", "its hidden_size is 768, and that of the weights 24")]
    [InlineData("""{"num_hidden_layers": 12""", "its num_hidden_layers is 12, and that of the weights 2")]
    [InlineData("""{"num_features": 48""", "its num_features is 48")]
    [InlineData("""{"model_args": {"embed_dim": 48}""", "its embed_dim is 48")]
    [InlineData("""{"model_args": {"depth": 1}""", "its depth is 1")]
    [InlineData("""{"hidden_size": 24, "num_hidden_layers": 2, "num_features": 24, "model_args": {"embed_dim": 24, "depth": 2}""", null)]
    public void A_config_of_another_encoder_is_left_aside(string start, string? reason)
    {
        using var model = new VisionTransformer(Options(), 1);
        string path = Write([.. Named("", model)]);
        File.WriteAllText(folder.File("config.json"), start + """, "num_attention_heads": 2, "layer_norm_eps": 0.5, "mean": [0.5, 0.5, 0.5], "std": [1, 1, 1]}""");
        if (reason is null)
        {
            var taken = EncoderCheckpoint.Describe(path);
            Assert.Equal((2, 0.5, 0.5f), (taken.Architecture.Heads, taken.Architecture.NormEpsilon, taken.Normalization.Mean[0]));
            return;
        }
        Assert.Contains("CheckpointLoadOptions.Heads", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Describe(path)).Message);
        var found = EncoderCheckpoint.Describe(path, new() { Heads = 3 });
        Assert.Equal((1e-6, ImageNormalization.ImageNet.Mean[0]), (found.Architecture.NormEpsilon, found.Normalization.Mean[0]));
        Assert.Contains(found.Assumptions, a => a.Contains(folder.File("config.json")) && a.Contains(reason));
    }

    [Theory]
    [InlineData("""{"hidden_act": "gelu_new"}""", "'gelu_new', says hidden_act in ")]
    [InlineData("""{"hidden_act": "quick_gelu"}""", "'quick_gelu', says hidden_act in ")]
    [InlineData("""{"architecture": "vit", "model_args": {"act_layer": "relu"}}""", "'relu', says act_layer in ")]
    [InlineData("""{"hidden_act": "gelu", "model_args": {"act_layer": "gelu"}}""", null)]
    [InlineData("""{"hidden_act": 3}""", null)]
    [InlineData("""{"hidden_act": "relu", "hidden_size": 768}""", null)]
    public void Other_activations_are_refused(string config, string? fault)
    {
        using var model = new VisionTransformer(Options(), 1);
        string path = Write([.. Named("", model)]);
        File.WriteAllText(folder.File("config.json"), config);
        if (fault is null) EncoderCheckpoint.Load(path, new() { Heads = 3 }).Dispose();
        else
        {
            string message = Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path, new() { Heads = 3 })).Message;
            Assert.Contains(fault + folder.File("config.json"), message);
        }
    }

    [Fact]
    public void What_is_no_encoder_is_refused_with_its_names()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("no cls_token. Its tensors are: conv1.weight", Refusal([new("conv1.weight", zeros(2, 3))]));
        using var model = new VisionTransformer(Options(), 1);
        var weights = Named("", model).ToDictionary();
        Assert.Contains("several encoders: a.cls_token, b.cls_token", Refusal([.. Named("a.", model), .. Named("b.", model)]));
        Assert.Contains("pos_embed has 19 rows", Refusal(With("pos_embed", zeros(1, 19, 24))));
        Assert.Contains("square patches", Refusal(With("patch_embed.proj.weight", zeros(24, 3, 8, 4))));
        Assert.Contains("must have 3 dimensions", Refusal(With("cls_token", zeros(1, 24))));
        Assert.Contains("blocks.1.norm2.bias [24] is missing", Refusal(Without("blocks.1.norm2.bias")));
        Assert.Contains("backbone.extra.weight [3] is unexpected", Refusal([.. weights, new("extra.weight", zeros(3))]));
        Assert.Contains("must lie in [1, 256]", Assert.Throws<ArgumentException>(() => EncoderCheckpoint.Load(Write([.. weights]), new() { Heads = 0 })).Message);
        Assert.Contains("Heads is 5", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(Write([.. weights]), new() { Heads = 5 })).Message);

        KeyValuePair<string, Tensor>[] With(string name, Tensor other) => [.. weights.Where(w => w.Key != name), new(name, other)];
        KeyValuePair<string, Tensor>[] Without(string name) => [.. weights.Where(w => w.Key != name)];
    }

    [Fact]
    public void Scalars_where_matrices_belong_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(Options(), 1);
        var scalar = zeros(1).squeeze();
        Assert.Contains("mlp.0.weight is []; it must have 2 dimensions", Refusal([.. Named("teacher.backbone.", model),
            new("teacher.head.last_layer.weight_v", zeros(20, 6)), new("teacher.head.mlp.0.weight", scalar)]));
        Assert.Contains("decoder_embed.weight is []; it must have 2 dimensions", Refusal([.. Named("", model),
            new("decoder_embed.weight", scalar), new("decoder_blocks.0.mlp.fc1.weight", zeros(64, 16))]));
        Assert.Contains("decoder_blocks.0.mlp.fc1.weight is []; it must have 2 dimensions", Refusal([.. Named("", model),
            new("decoder_embed.weight", zeros(16, 24)), new("decoder_blocks.0.mlp.fc1.weight", scalar)]));
    }

    [Fact]
    public void Heads_and_decoders_that_cannot_be_built_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(Options(), 1);
        KeyValuePair<string, Tensor>[] deep = [.. Named("teacher.backbone.", model), new("teacher.head.last_layer.weight_v", zeros(20, 6)),
            .. Enumerable.Range(0, 17).Select(i => KeyValuePair.Create($"teacher.head.mlp.{2 * i}.weight", zeros(8, 8)))];
        Assert.Contains("Layers is 17; it must lie in [1, 16]", Refusal(deep));
        KeyValuePair<string, Tensor>[] wide = [.. Named("", model), new("decoder_embed.weight", zeros(100, 24)),
            new("decoder_blocks.0.norm1.weight", zeros(100)), new("decoder_blocks.0.mlp.fc1.weight", zeros(400, 100))];
        Assert.Contains("set CheckpointLoadOptions.DecoderHeads", Refusal(wide));
        string path = Write(wide);
        var options = new CheckpointLoadOptions { Heads = 3, DecoderHeads = 7 };
        Assert.Contains("Heads is 7", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path, options)).Message);
        Assert.Contains("Heads is 7", Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Describe(path, options)).Message);
        options.DecoderHeads = 10;
        Assert.Equal(10, EncoderCheckpoint.Describe(path, options).Decoder!.Heads);
    }

    [Fact]
    public void Faults_are_listed_up_to_twenty()
    {
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(Options(), 1);
        string message = Refusal([.. Named("", model), .. Enumerable.Range(0, 30).Select(i => KeyValuePair.Create($"extra{i}", zeros(1)))]);
        Assert.Contains("30 of the tensors are at fault", message);
        Assert.Contains("and 10 more", message);
        Assert.Equal(22, message.Split('\n').Length);
    }

    private string Refusal(KeyValuePair<string, Tensor>[] weights)
    {
        string path = Write(weights);
        return Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(path, new() { Heads = 3 })).Message;
    }

    private string Write(IReadOnlyCollection<KeyValuePair<string, Tensor>> weights)
    {
        string path = folder.File($"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Write(path, weights);
        return path;
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Named(string prefix, nn.Module module) =>
        module.state_dict().Select(w => KeyValuePair.Create(prefix + w.Key, w.Value));

    private static void AssertSame(nn.Module expected, nn.Module actual)
    {
        var (left, right) = (expected.state_dict(), actual.state_dict());
        Assert.Equal(left.Keys, right.Keys);
        foreach (var (name, tensor) in left) Assert.True(tensor.bytes.SequenceEqual(right[name].bytes), name);
    }

    private static VitOptions Options() => new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 };

    private sealed class Unreadable(IReadOnlyList<SafetensorsEntry> entries) : ITensorSource
    {
        public string Path => "weights";

        public IReadOnlyList<SafetensorsEntry> Entries => entries;

        public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

        public Tensor Read(string name) => throw new InvalidOperationException($"{name} is read.");

        public void Dispose()
        {
        }
    }
}
