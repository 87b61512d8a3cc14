using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;
using MaskBias.MLNet.Weights.Pickle;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Weights.Pickle;

/// <summary>Files that PyTorch wrote, against the same weights in safetensors.</summary>
[Trait("Category", "Parity")]
public sealed class PublishedPickleTests
{
    [Theory]
    [InlineData("dino_vit/backbone.pth", "", "dino_vit/backbone.safetensors", "")]
    [InlineData("dino_vit/backbone_legacy.pth", "", "dino_vit/backbone.safetensors", "")]
    [InlineData("dino_head/head_bn.pth", "", "dino_head/heads.safetensors", "bn.")]
    [InlineData("dino_head/head_free_last.pth", "", "dino_head/heads.safetensors", "free_last.")]
    [InlineData("dino_head/head_norm_last.pth", "", "dino_head/heads.safetensors", "norm_last.")]
    [InlineData("dino_head/head_nlayers1.pth", "", "dino_head/heads.safetensors", "nlayers1.")]
    [InlineData("dino_head/head_nlayers2.pth", "", "dino_head/heads.safetensors", "nlayers2.")]
    [InlineData("dinov2_vit/backbone.pth", "", "dinov2_vit/backbone.safetensors", "")]
    [InlineData("mae_forward/mae_pretrain.pth", "model.", "mae_forward/model.safetensors", "")]
    [InlineData("mae_finetune/finetuned.pth", "model.", "mae_finetune/model_global_pool.safetensors", "")]
    [InlineData("sam_model/sam.pth", "", "sam_model/sam.safetensors", "")]
    [InlineData("timm_vit/model.pth", "", "timm_vit/model.safetensors", "")]
    [InlineData("timm_vit_avg/model.pth", "", "timm_vit_avg/model.safetensors", "")]
    [InlineData("timm_vit_reg/model.pth", "", "timm_vit_reg/model.safetensors", "")]
    public void Every_tensor_is_the_same(string pickled, string pickledPrefix, string plain, string plainPrefix)
    {
        SkipWithout(pickled, plain);
        using var left = TensorFile.Open(Fixtures.Path(plain));
        using var right = TensorFile.Open(Fixtures.Path(pickled));
        using var scope = NewDisposeScope();
        var expected = left.Entries.Where(e => e.Name.StartsWith(plainPrefix, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Select(e => pickledPrefix + e.Name[plainPrefix.Length..]).Order(StringComparer.Ordinal),
            right.Entries.Select(e => e.Name).Order(StringComparer.Ordinal));
        foreach (var entry in expected)
        {
            Tensor a = left.Read(entry.Name), b = right.Read(pickledPrefix + entry.Name[plainPrefix.Length..]);
            Assert.Equal(a.dtype, b.dtype);
            Assert.Equal(a.shape, b.shape);
            Assert.True(a.bytes.SequenceEqual(b.bytes), entry.Name);
            var copied = empty_like(a);
            right.ReadInto(pickledPrefix + entry.Name[plainPrefix.Length..], copied);
            Assert.True(a.bytes.SequenceEqual(copied.bytes), entry.Name);
        }
    }

    [Theory]
    [InlineData("dino_vit/backbone.pth", "dino_vit/backbone.safetensors", CheckpointLayout.Dino)]
    [InlineData("dino_vit/backbone_legacy.pth", "dino_vit/backbone.safetensors", CheckpointLayout.Dino)]
    [InlineData("dinov2_vit/backbone.pth", "dinov2_vit/backbone.safetensors", CheckpointLayout.DinoV2)]
    [InlineData("dinov2_vit/teacher_checkpoint.pth", "dinov2_vit/backbone.safetensors", CheckpointLayout.DinoV2)]
    [InlineData("mae_forward/mae_pretrain.pth", "mae_forward/model.safetensors", CheckpointLayout.Mae)]
    [InlineData("mae_forward/mae_pretrain_encoder_only.pth", "mae_forward/model.safetensors", CheckpointLayout.Mae)]
    [InlineData("mae_finetune/finetuned.pth", "mae_finetune/model_global_pool.safetensors", CheckpointLayout.Timm)]
    [InlineData("timm_vit/model.pth", "timm_vit/model.safetensors", CheckpointLayout.Timm)]
    [InlineData("timm_vit_avg/model.pth", "timm_vit_avg/model.safetensors", CheckpointLayout.Timm)]
    [InlineData("timm_vit_reg/model.pth", "timm_vit_reg/model.safetensors", CheckpointLayout.Timm)]
    public void Encoders_are_recognised_and_the_same(string pickled, string plain, CheckpointLayout layout)
    {
        SkipWithout(pickled, plain);
        var options = new CheckpointLoadOptions { Heads = 2, DecoderHeads = 2 };
        using var left = EncoderCheckpoint.Load(Fixtures.Path(plain), options);
        using var right = EncoderCheckpoint.Load(Fixtures.Path(pickled), options);
        Assert.Equal(layout, EncoderCheckpoint.Describe(Fixtures.Path(pickled), options).Layout);
        var weights = right.Model.state_dict();
        foreach (var (name, weight) in left.Model.state_dict()) Assert.True(weight.bytes.SequenceEqual(weights[name].bytes), name);
        Assert.Equal(left.Model.state_dict().Keys, weights.Keys);
    }

    [Theory]
    [InlineData("dinov2_vit_reg/backbone.pth", "scaled 4 registers")]
    [InlineData("dinov2_vit_swiglu/backbone.pth", "scaled gated")]
    public void Encoders_without_a_twin_in_safetensors_load(string pickled, string kind)
    {
        SkipWithout(pickled);
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path(pickled), new() { Heads = 2 });
        var a = encoder.Model.Options;
        Assert.Equal(kind, "scaled" + (a.RegisterTokens > 0 ? $" {a.RegisterTokens} registers" : "") + (a.FeedForward == FeedForwardKind.SwiGlu ? " gated" : ""));
    }

    [Fact]
    public void A_training_checkpoint_of_dino_has_student_teacher_heads_and_arguments()
    {
        const string File = "dino_step/checkpoint.pth";
        SkipWithout(File);
        string path = Fixtures.Path(File);
        using var teacher = EncoderCheckpoint.Load(path, new() { Heads = 3 });
        using var student = EncoderCheckpoint.Load(path, new() { Heads = 3, Branch = CheckpointBranch.Student });
        Assert.Equal((64, 32, 16), (teacher.Head!.Options.OutDim, teacher.Head.Options.HiddenDim, teacher.Head.Options.BottleneckDim));
        Assert.Equal(64, student.Head!.Options.OutDim);
        using var file = TensorFile.Open(path);
        using var scope = NewDisposeScope();
        Compare("teacher.backbone.", teacher.Model);
        Compare("student.module.backbone.", student.Model);
        Compare("teacher.head.", teacher.Head);
        Compare("student.module.head.", student.Head);
        Assert.False(file.Read("teacher.backbone.cls_token").bytes.SequenceEqual(file.Read("student.module.backbone.cls_token").bytes));
        Assert.Equal([64L], file.Entries.Single(e => e.Name == "dino_loss.center").Shape.TakeLast(1));
        Assert.Contains(file.Entries, e => e.Name == "optimizer.state.0.exp_avg");
        Assert.Equal(("vit_tiny_test", "8", "1"), (file.Metadata["args.arch"], file.Metadata["args.patch_size"], file.Metadata["epoch"]));
        Assert.Equal(BitConverter.ToDouble([0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0x49, 0x3f]), LearningRate(path));

        void Compare(string prefix, nn.Module module)
        {
            foreach (var (name, weight) in module.state_dict()) Assert.True(weight.bytes.SequenceEqual(file.Read(prefix + name).bytes), prefix + name);
        }
    }

    [Fact]
    public void A_training_checkpoint_of_mae_has_its_decoder_and_arguments()
    {
        const string File = "mae_step_accum_normpix/checkpoint-0.pth";
        SkipWithout(File);
        using var encoder = EncoderCheckpoint.Load(Fixtures.Path(File), new() { Heads = 3, DecoderHeads = 3 });
        Assert.Equal((24, 12, 3), (encoder.Model.Options.EmbedDim, encoder.Decoder!.Options.EmbedDim, encoder.Decoder.Options.Heads));
        Assert.Equal(PositionKind.SinCos, encoder.Model.Options.Positions);
        using var file = TensorFile.Open(Fixtures.Path(File));
        Assert.Equal(("mae_tiny_test", "2"), (file.Metadata["args.model"], file.Metadata["args.accum_iter"]));
    }

    [Fact]
    public void A_checkpoint_of_sam_is_known_by_name()
    {
        SkipWithout("sam_model/sam.pth");
        string message = Assert.Throws<InvalidDataException>(() => EncoderCheckpoint.Load(Fixtures.Path("sam_model/sam.pth"))).Message;
        foreach (string part in (string[])["sam.pth", "Segment Anything", "mask"]) Assert.Contains(part, message);
    }

    // numpy's number in the optimizer's groups
    private static double LearningRate(string path)
    {
        using var file = PyTorchFile.Open(path);
        var optimizer = (PickleDictionary)((PickleDictionary)file.Root!)["optimizer"]!;
        var group = (PickleDictionary)((List<object?>)optimizer["param_groups"]!)[0]!;
        return (double)group["lr"]!;
    }

    private static void SkipWithout(params string[] names)
    {
        foreach (string name in names)
            Assert.SkipUnless(File.Exists(Fixtures.Path(name)), $"{name} is not there: name a folder that has it in MASKBIAS_FIXTURES.");
    }
}
