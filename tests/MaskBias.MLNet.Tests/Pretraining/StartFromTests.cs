using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Tests.Weights.Onnx;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>Training that goes on from an encoder that somebody else has trained.</summary>
public sealed class StartFromTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    [Trait("Category", "Parity")]
    public void Dino_goes_on_from_a_public_encoder_guided_by_masks()
    {
        using var start = EncoderCheckpoint.Load(Fixtures.Path("hf_dinov2_reg"));
        var options = TinyTraining.MaskedDino().With(o => (o.StartFrom, o.Encoder, o.TeacherMomentum) = (start, start.Model.Options, 1));
        options.Encoder.ImageSize = 28;
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        var (before, after) = (start.Model.state_dict(), model.Encoder.Model.state_dict());
        Assert.True(model.Encoder.Model.IsMaskGuided);
        Assert.All(before.Where(w => w.Key != "pos_embed"), w => Assert.Equal(0, Near.Difference(w.Value, after[w.Key])));
        Assert.Equal([1, 5, 32], after["pos_embed"].shape);
        Assert.Equal(0, Near.Difference(start.Model.PositionEmbedding(28, 28), model.Encoder.Model.PositionEmbedding(28, 28)));
    }

    [Fact]
    public void Mae_goes_on_from_its_own_encoder_and_decoder()
    {
        using var start = ml.SelfSupervised().Mae(TinyTraining.Mae()).Fit(scenes.Load(ml));
        var options = TinyTraining.Mae().With(o => (o.StartFrom, o.LearningRate, o.Seed) = (start.Encoder, 1e-9, 99));
        using var model = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml));
        foreach (var (name, weight) in start.Encoder.Model.state_dict()) Near.Equal(weight, model.Encoder.Model.state_dict()[name], 1e-6, name);
        foreach (var (name, weight) in start.Encoder.Decoder!.state_dict()) Near.Equal(weight, model.Encoder.Decoder!.state_dict()[name], 1e-6, name);
    }

    [Fact]
    public void Mae_keeps_the_positions_and_the_pooling_that_an_encoder_learned_with()
    {
        using var start = TinyTraining.Teacher();
        // it stays where it starts
        var options = TinyTraining.Mae().With(o => (o.StartFrom, o.Encoder, o.LearningRate) = (start, start.Model.Options, 1e-30));
        using (var model = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml)))
        {
            var architecture = model.Encoder.Model.Options;
            Assert.Equal((PositionKind.Learned, FeaturePooling.ClassToken), (architecture.Positions, architecture.Pooling));
            Assert.Equal(TinyTraining.Weights(start)["backbone.pos_embed"], TinyTraining.Weights(model.Encoder)["backbone.pos_embed"]);
            Assert.Contains("Positions is Learned, not SinCos: StartFrom's are kept.", model.Report.Adjustments);
            Assert.Contains("Pooling is ClassToken, not Mean: it is StartFrom's.", model.Report.Adjustments);
        }

        (options.Positions, options.Pooling) = (PositionKind.SinCos, FeaturePooling.Mean);
        using var other = ml.SelfSupervised().Mae(options).Fit(scenes.Load(ml));
        Assert.Equal((PositionKind.SinCos, FeaturePooling.Mean), (other.Encoder.Model.Options.Positions, other.Encoder.Model.Options.Pooling));
        Assert.DoesNotContain(other.Report.Adjustments, a => a.Contains("StartFrom", StringComparison.Ordinal));
    }

    [Fact]
    public void Dino_takes_a_head_of_the_same_sizes()
    {
        using var start = TinyTraining.Teacher();
        var options = TinyTraining.Dino().With(o => (o.StartFrom, o.TeacherMomentum) = (start, 1));
        using var model = ml.SelfSupervised().Dino(options).Fit(scenes.Load(ml));
        TinyTraining.AssertSame(TinyTraining.Weights(start), TinyTraining.Weights(model.Encoder));
    }

    [Fact]
    public void Heads_that_share_a_weight_of_masks_start_with_the_mean_and_are_spread_again()
    {
        var architecture = TinyTraining.Encoder();
        architecture.MaskBias = new() { Relation = MaskRelation.Both };
        using var start = new VisionEncoder(new VisionTransformer(architecture, 8));
        using (NewDisposeScope())
        using (no_grad())
        {
            foreach (var weight in start.Model.BiasParameters) weight.copy_(tensor(new[] { 1f, 2, 6 }));
        }
        using var shared = GoOn(start, sharedAcrossHeads: true);
        Assert.All(shared.Encoder.Model.BiasParameters, weight => Assert.Equal([3f], TinyTraining.Values(weight)));
        using var spread = GoOn(shared.Encoder, sharedAcrossHeads: false);
        Assert.All(spread.Encoder.Model.BiasParameters, weight => Assert.Equal([3f, 3, 3], TinyTraining.Values(weight)));

        PretrainedTransformer GoOn(VisionEncoder from, bool sharedAcrossHeads)
        {
            var options = TinyTraining.MaskedDino().With(o => (o.StartFrom, o.TeacherMomentum) = (from, 1));
            options.MaskBias = new() { Relation = MaskRelation.Both, SharedAcrossHeads = sharedAcrossHeads };
            return ml.SelfSupervised().Dino(options).Fit(scenes.LoadWithMasks(ml));
        }
    }

    [Fact]
    public void Public_encoders_teach_a_student()
    {
        using var teacher = EncoderCheckpoint.Load(Fixtures.Path("hf_dinov2_reg"), new() { ImageSize = 28 });
        var options = TinyTraining.Distillation().With(o => o.Student = new() { ImageSize = 28, PatchSize = 14, EmbedDim = 12, Depth = 1, Heads = 2 });
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.Load(ml));
        Assert.Equal(12, student.Encoder.FeatureDim);
        Assert.All(student.Report.Losses, loss => Assert.True(double.IsFinite(loss)));
    }

    [Fact]
    public void Another_architecture_is_refused()
    {
        using var start = OnnxEncoderTests.Scrambled(new VitOptions { ImageSize = 16, PatchSize = 8, EmbedDim = 48, Depth = 2, Heads = 3 });
        string message = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.StartFrom = start))).Message;
        Assert.Contains("Encoder is of another architecture than StartFrom: EmbedDim is 24, not 48;", message);
        Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Mae(TinyTraining.Mae().With(o => o.StartFrom = start)));
    }

    [Fact]
    public void Whatever_keeps_an_encoder_from_being_gone_on_from_is_named()
    {
        Refused(o => o.LayerScale = 1e-5, "LayerScale is null, not a number");
        Refused(o => o.MlpRatio = 2, "the hidden width (MlpRatio) is 96, not 48");
        Refused(o => o.FeedForward = FeedForwardKind.SwiGlu, "FeedForward is Mlp, not SwiGlu; the hidden width (MlpRatio) is 96, not 64");
        Refused(o => o.ClassTokenPosition = false, "ClassTokenPosition is True, not False");
        Refused(o => o.RegisterTokens = 4, "RegisterTokens is 0, not 4");
        Refused(o => o.Depth = 3, "Depth is 2, not 3");
        Refused(o => o.Heads = 4, "Heads is 3, not 4");

        void Refused(Action<VitOptions> change, string difference)
        {
            using var start = new VisionEncoder(new VisionTransformer(TinyTraining.Encoder().With(change)));
            var options = TinyTraining.Dino().With(o => o.StartFrom = start);
            string message = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(options)).Message;
            Assert.Contains($"StartFrom: {difference}. They may", message);
        }
    }
}
