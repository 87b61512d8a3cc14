using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>MAE's defaults are Table 2's; options out of range are named with what is allowed.</summary>
public sealed class MaeOptionsTests
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void Pretraining_has_the_values_of_Table_2()
    {
        var o = new MaeOptions();
        Assert.Equal((0.9, 0.95), (o.Beta1, o.Beta2));
        Assert.Equal(4096, o.BatchSize);
        Assert.Equal(1.5e-4, o.LearningRate);
        Assert.Equal(40, o.WarmupEpochs);
        Assert.Equal((0.05, 0.05), (o.WeightDecay, o.FinalWeightDecay));
        Assert.Equal((0.75, 1), (o.MaskRatio, o.MaskBlockSize));
        Assert.Equal(0, o.FreezeBiasEpochs);
        Assert.Equal((0.2, 0.5), (o.Crop.MinScale, o.Crop.FlipProbability));
        var blocks = MaeOptions.Patch8();
        Assert.Equal((8, 2, 0.75), (blocks.Encoder.PatchSize, blocks.MaskBlockSize, blocks.MaskRatio));
        OptionsValidator.Validate(o);
        OptionsValidator.Validate(blocks);
        OptionsValidator.Validate(MaeOptions.Patch8(imageSize: 96));
    }

    [Fact]
    public void What_the_table_does_not_print_is_the_published_one()
    {
        var o = new MaeOptions();
        Assert.Equal((512, 8, 16, 4, false),
            (o.Decoder.EmbedDim, o.Decoder.Depth, o.Decoder.Heads, o.Decoder.MlpRatio, o.Decoder.NormalizePixels));
        Assert.Equal((0, 0, false, 1), (o.MinLearningRate, o.ClipGradient, o.WarmupReachesPeak, o.AccumulationSteps));
        Assert.Equal((PositionKind.SinCos, FeaturePooling.Mean), (o.Positions, o.Pooling));
        var views = o.Crop.AsViews();
        Assert.Equal((1, 0, 0.2), (views.GlobalViews, views.LocalViews, views.GlobalMinScale));
        o.Encoder.DropPath = 0.3;
        var architecture = o.Architecture();
        Assert.Equal((PositionKind.SinCos, FeaturePooling.Mean, 0, (MaskBiasOptions?)null),
            (architecture.Positions, architecture.Pooling, architecture.DropPath, architecture.MaskBias));
        o.MaskColumnName = "Masks";
        Assert.NotNull(o.Architecture().MaskBias);
    }

    [Fact]
    public void Distillation_of_an_MAE_teacher_has_the_same_schedule()
    {
        var (o, mae) = (DistillationOptions.Mae(), new MaeOptions());
        Assert.Equal((mae.BatchSize, mae.LearningRate, mae.MinLearningRate, mae.WarmupEpochs, mae.WarmupReachesPeak),
            (o.BatchSize, o.LearningRate, o.MinLearningRate, o.WarmupEpochs, o.WarmupReachesPeak));
        Assert.Equal((mae.WeightDecay, mae.FinalWeightDecay, mae.Beta1, mae.Beta2, mae.ClipGradient),
            (o.WeightDecay, o.FinalWeightDecay, o.Beta1, o.Beta2, o.ClipGradient));
        OptionsValidator.Validate(o);
    }

    [Theory]
    [InlineData(0.0, "MaskRatio is 0; it must lie in (0, 1)")]
    [InlineData(1.0, "MaskRatio is 1; it must lie in (0, 1)")]
    [InlineData(-0.5, "MaskRatio is -0.5; it must lie in (0, 1)")]
    [InlineData(1.2, "MaskRatio is 1.2; it must lie in (0, 1): at 0 no patch is hidden, at 1 none is left for the encoder to see.")]
    [InlineData(double.NaN, "MaskRatio is NaN; it must lie in (0, 1)")]
    [InlineData(0.95, "MaskRatio is 0.95; of 16 blocks of patches it leaves none visible.")]
    [InlineData(1e-17, "MaskRatio is 1E-17; of 16 blocks of patches it hides none.")]
    public void A_mask_ratio_must_leave_and_hide_something(double ratio, string fault) =>
        Assert.Contains(fault, Fault(o => o.MaskRatio = ratio));

    [Fact]
    public void Blocks_must_divide_the_grid()
    {
        Assert.Contains("MaskBlockSize is 3; it must divide the 4 patches along a side of the image.", Fault(o => o.MaskBlockSize = 3));
        Assert.Contains("MaskBlockSize is 0; it must lie in [1, 4096].", Fault(o => o.MaskBlockSize = 0));
        Assert.Contains("MaskBlockSize is 8; it must divide the 4 patches", Fault(o => o.MaskBlockSize = 8));
        Assert.Contains("of 1 blocks of patches it leaves none visible", Fault(o => o.MaskBlockSize = 4));
    }

    [Fact]
    public void Widths_must_fit_heads_and_positions()
    {
        Assert.Contains("Decoder.Heads is 5; it must divide EmbedDim 12.", Fault(o => o.Decoder.Heads = 5));
        Assert.Contains("Decoder.EmbedDim is 6; it must be a multiple of 4", Fault(o => (o.Decoder.EmbedDim, o.Decoder.Heads) = (6, 3)));
        Assert.Contains("Encoder.EmbedDim is 6; it must be a multiple of 4", Fault(o => o.Encoder.EmbedDim = 6));
        Assert.Contains("Heads is 5; it must divide EmbedDim 12.",
            Assert.Throws<ArgumentException>(() => new MaeDecoder(TinyTraining.Encoder(), new() { EmbedDim = 12, Heads = 5 })).Message);
    }

    [Fact]
    public void A_batch_has_parts_of_one_size()
    {
        Assert.Contains("BatchSize is 5; it must be a multiple of AccumulationSteps 2.", Fault(o => o.AccumulationSteps = 2));
        var dino = TinyTraining.Dino().With(o => o.AccumulationSteps = 3);
        Assert.Contains("BatchSize is 5; it must be a multiple of AccumulationSteps 3.",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(dino)).Message);
        var distillation = TinyTraining.Distillation().With(o => o.AccumulationSteps = 0);
        using var teacher = TinyTraining.Teacher();
        Assert.Contains("AccumulationSteps is 0",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(teacher, distillation)).Message);
    }

    [Fact]
    public void All_faults_come_in_one_message()
    {
        string message = Fault(o =>
            (o.MaskRatio, o.Decoder.Heads, o.Crop.MinScale, o.Beta2, o.Encoder.PatchSize) = (2, 5, 0, 1, 7));
        foreach (string name in new[] { "MaskRatio", "Decoder.Heads", "Crop.MinScale", "Beta2", "Encoder.PatchSize" })
            Assert.Contains($"\n  - {name} is ", message);
        Assert.Contains("Encoder is not set; it is required.", Fault(o => o.Encoder = null!));
    }

    private string Fault(Action<MaeOptions> change) =>
        Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Mae(TinyTraining.Mae().With(change))).Message;
}
