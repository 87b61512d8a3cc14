using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>The defaults are the paper's tables, and the DINO reference's where those print none.</summary>
public class DinoOptionsTests
{
    [Fact]
    public void Pretraining_has_the_values_of_Table_1()
    {
        var o = new DinoOptions();
        Assert.Equal(512, o.BatchSize);
        Assert.Equal(2.5e-3, o.LearningRate);
        Assert.Equal(10, o.WarmupEpochs);
        Assert.Equal((0.04, 0.4), (o.WeightDecay, o.FinalWeightDecay));
        Assert.Equal((0.04, 0.07), (o.WarmupTeacherTemperature, o.TeacherTemperature));
        Assert.Equal(0.996, o.TeacherMomentum);
        Assert.Equal(100, o.FreezeBiasEpochs);
    }

    [Fact]
    public void What_the_table_does_not_print_is_the_reference()
    {
        var o = new DinoOptions();
        Assert.Equal((65536, 2048, 256, 3), (o.Head.OutDim, o.Head.HiddenDim, o.Head.BottleneckDim, o.Head.Layers));
        Assert.Equal((true, false), (o.Head.NormalizeLastLayer, o.Head.UseBatchNorm));
        Assert.Equal(0.1, o.StudentTemperature);
        Assert.Equal(30, o.WarmupTeacherTemperatureEpochs);
        Assert.Equal(0.9, o.CenterMomentum);
        Assert.Equal(3, o.ClipGradient);
        Assert.Equal(1, o.FreezeLastLayerEpochs);
        Assert.Equal(1e-6, o.MinLearningRate);
        Assert.Equal(0.1, o.DropPath);
        Assert.Equal((2, 8), (o.Views.GlobalViews, o.Views.LocalViews));
        Assert.Equal((0.4, 0.05, 0.4), (o.Views.GlobalMinScale, o.Views.LocalMinScale, o.Views.LocalMaxScale));
        var sizes = MaskBias.MLNet.Training.Data.ViewSizes.For(o.Views, o.Encoder);
        Assert.Equal((224, 96), (sizes.Global, sizes.Local));
        Assert.Equal((0.5, 0.8, 0.2), (o.Views.FlipProbability, o.Views.ColorJitterProbability, o.Views.GrayscaleProbability));
        Assert.Equal((0.4, 0.4, 0.2, 0.1), (o.Views.Brightness, o.Views.Contrast, o.Views.Saturation, o.Views.Hue));
        Assert.Equal((1, 2, 0.2), (o.Views.BlurProbability, o.Views.MaxBlur, o.Views.SolarizeProbability));
    }

    [Fact]
    public void The_bias_is_read_as_the_method_says()
    {
        var o = new DinoOptions();
        Assert.Equal((MaskRelation.Positive, RelationKind.Soft, BiasLayers.All), (o.MaskBias.Relation, o.MaskBias.Kind, o.MaskBias.Layers));
        Assert.Equal((0, false), (o.MaskBias.InitialValue, o.MaskBias.SharedAcrossHeads));
        Assert.Equal((64, 0.9, 1, false), (o.Masks.MaxMasks, o.Masks.MaxCoverage, o.Masks.MinPatches, o.Masks.AddComplement));
        Assert.Null(o.MaskColumnName);
    }

    [Fact]
    public void The_rest_suits_a_first_run()
    {
        var o = new DinoOptions();
        Assert.Equal((384, 12, 6, 16, 224),
            (o.Encoder.EmbedDim, o.Encoder.Depth, o.Encoder.Heads, o.Encoder.PatchSize, o.Encoder.ImageSize));
        Assert.Equal(("ImagePath", 100, (int?)null), (o.ImageColumnName, o.Epochs, o.Seed));
        Assert.Equal((ComputeDevice.Auto, UnreadableTrainingImage.Skip), (o.Device, o.OnUnreadableImage));
        OptionsValidator.Validate(o);
    }

    [Fact]
    public void Distillation_has_the_settings_of_phase_1_and_one_temperature()
    {
        var (o, dino) = (new DistillationOptions(), new DinoOptions());
        Assert.Equal((dino.LearningRate, dino.BatchSize, dino.WarmupEpochs), (o.LearningRate, o.BatchSize, o.WarmupEpochs));
        Assert.Equal((dino.WeightDecay, dino.FinalWeightDecay, dino.ClipGradient), (o.WeightDecay, o.FinalWeightDecay, o.ClipGradient));
        Assert.Equal((dino.DropPath, dino.MinLearningRate), (o.DropPath, o.MinLearningRate));
        Assert.Equal((0.1, 0.1), (o.StudentTemperature, o.TeacherTemperature));
        Assert.Equal((StudentInit.Auto, (VitOptions?)null), (o.StudentInit, o.Student));
        Assert.Equal((2, 8), (o.Views.GlobalViews, o.Views.LocalViews));
    }

    [Theory]
    [InlineData(310, 100, 30, 10)]      // as the table says
    [InlineData(100, 33, 30, 10)]
    [InlineData(10, 3, 3, 1)]
    [InlineData(1, 0, 0, 0)]
    public void Warm_ups_take_at_most_their_share_of_a_run(int epochs, int freeze, int temperature, int warmup)
    {
        var limits = new RunLimits(epochs);
        Assert.Equal(freeze, limits.Epochs("FreezeBiasEpochs", 100, 0.33));
        Assert.Equal(temperature, limits.Epochs("WarmupTeacherTemperatureEpochs", 30, 0.3));
        Assert.Equal(warmup * 4L, limits.WarmupSteps(10, 4) / 4 * 4);
        Assert.Equal((freeze < 100 ? 1 : 0) + (temperature < 30 ? 1 : 0) + (warmup < 10 ? 1 : 0), limits.Adjustments.Count);
    }

    [Fact]
    public void A_batch_is_at_most_the_set()
    {
        var limits = new RunLimits(10);
        Assert.Equal((64, 1), limits.Batch(64, 64));
        Assert.Empty(limits.Adjustments);
        Assert.Equal((63, 1), limits.Batch(64, 63));
        Assert.Equal(["BatchSize is 63, not 64: there are 63 images."], limits.Adjustments);
    }

    [Theory]
    [InlineData(4096, 5000, 64, 4096, 64)]
    [InlineData(4096, 100, 64, 100, 2)]         // parts of at most 64
    [InlineData(8, 7, 4, 4, 4)]                 // parts of one size
    [InlineData(8, 2, 1, 2, 1)]
    public void A_limited_batch_has_parts_of_one_size_at_most_the_one_asked_for(int wanted, int images, int parts, int batch, int inForce)
    {
        var limits = new RunLimits(10);
        Assert.Equal((batch, inForce), limits.Batch(wanted, images, parts));
        Assert.Equal((wanted == batch ? 0 : 1) + (parts == inForce ? 0 : 1), limits.Adjustments.Count);
    }
}
