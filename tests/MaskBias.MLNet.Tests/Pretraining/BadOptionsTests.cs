using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>
/// Options out of range: every fault is named with its value and what is allowed, in one message, before any data is read.
/// </summary>
public sealed class BadOptionsTests
{
    private readonly MLContext ml = new(1);

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void All_faults_of_the_options_come_in_one_message(int value)
    {
        var options = TinyTraining.Dino();
        (options.Epochs, options.BatchSize, options.Encoder.Heads, options.TeacherTemperature, options.Views.GlobalMinScale) =
            (value, value, 5, 0, double.NaN);
        string message = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(options)).Message;
        Assert.StartsWith("DinoOptions cannot be used:", message);
        Assert.Contains($"Epochs is {value}; it must lie in [1, 1000000].", message);
        Assert.Contains($"BatchSize is {value}; it must lie in [1, 1048576].", message);
        Assert.Contains("Encoder.Heads is 5; it must divide EmbedDim 24.", message);
        Assert.Contains("TeacherTemperature is 0; it must lie in (0, 10].", message);
        Assert.Contains("Views.GlobalMinScale is NaN; it must lie in (0, 1].", message);
        Assert.Equal(6, message.Split('\n').Length);

        var distillation = TinyTraining.Distillation().With(o => (o.Epochs, o.BatchSize) = (value, value));
        using var teacher = TinyTraining.Teacher();
        message = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(teacher, distillation)).Message;
        Assert.Contains($"Epochs is {value}", message);
        Assert.Contains($"BatchSize is {value}", message);
    }

    [Fact]
    public void A_patch_size_must_divide_the_image_and_the_views()
    {
        Assert.Contains("Encoder.PatchSize is 7; it must divide ImageSize 16.", Fault(o => o.Encoder.PatchSize = 7));
        Assert.Contains("Views.GlobalSize is 20; it must be a multiple of the encoder's PatchSize 8.", Fault(o => o.Views.GlobalSize = 20));
        Assert.Contains("Views.LocalSize is 4; it must be a multiple of the encoder's PatchSize 8.", Fault(o => o.Views.LocalSize = 4));
        Assert.Contains("PatchSize is 7; it must divide ImageSize 16.",
            Assert.Throws<ArgumentException>(() => new VisionTransformer(TinyTraining.Encoder(patchSize: 7))).Message);
        using var teacher = TinyTraining.Teacher();
        var options = TinyTraining.Distillation().With(o => o.Student = TinyTraining.Encoder(patchSize: 5));
        Assert.Contains("Student.PatchSize is 5; it must divide ImageSize 16.",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(teacher, options)).Message);
    }

    [Fact]
    public void Missing_parts_are_named()
    {
        string message = Fault(o => (o.Encoder, o.Views, o.ImageColumnName) = (null!, null!, ""));
        Assert.Contains("Encoder is not set; it is required.", message);
        Assert.Contains("Views is not set; it is required.", message);
        Assert.Contains("ImageColumnName is not set; it is required.", message);
    }

    [Fact]
    public void A_teacher_that_cannot_be_distilled_says_why()
    {
        using var headless = new VisionEncoder(new VisionTransformer(TinyTraining.Encoder()));
        var otherPatches = TinyTraining.Distillation().With(o => o.Student = TinyTraining.Encoder(patchSize: 4));
        Assert.Contains("Student.PatchSize is 4; the teacher has no projection head, so that patch features are compared, "
            + "and it must be the teacher's 8.",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(headless, otherPatches)).Message);

        using var plain = TinyTraining.Teacher();
        var masked = TinyTraining.Distillation().With(o => o.MaskColumnName = "Masks");
        Assert.Contains("MaskColumnName is \"Masks\"; the teacher has no mask-guided attention bias, so it must be null.",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(plain, masked)).Message);

        var other = TinyTraining.Distillation().With(o =>
            (o.StudentInit, o.Student) = (StudentInit.Teacher, TinyTraining.Encoder(patchSize: 4)));
        Assert.Contains("StudentInit is Teacher; that needs a Student of the teacher's sizes. Use Fresh or Auto.",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Distill(plain, other)).Message);
        Assert.Throws<ArgumentNullException>(() => ml.SelfSupervised().Distill((VisionEncoder)null!, TinyTraining.Distillation()));
    }

    [Fact]
    public void Options_are_copied_when_the_estimator_is_made()
    {
        using var scenes = new SceneFolder();
        var options = TinyTraining.Dino();
        var estimator = ml.SelfSupervised().Dino(options);
        (options.Epochs, options.Encoder.EmbedDim, options.Head.OutDim, options.ImageColumnName) = (50, 7, 1, "Nowhere");
        options.Masks.MaxMasks = -1;
        using var model = estimator.Fit(scenes.Load(ml));
        Assert.Equal((2, 24), (model.Report.Losses.Count, model.Encoder.FeatureDim));
    }

    private string Fault(Action<DinoOptions> change) =>
        Assert.Throws<ArgumentException>(() => ml.SelfSupervised().Dino(TinyTraining.Dino().With(change))).Message;
}
