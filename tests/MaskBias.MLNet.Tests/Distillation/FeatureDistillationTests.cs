using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Distillation;

/// <summary>Distillation of a teacher without a head, such as MAE's, by its features.</summary>
public sealed class FeatureDistillationTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void A_guided_MAE_teacher_gives_a_plain_student_that_can_be_saved()
    {
        var data = scenes.LoadWithMasks(ml);
        using var teacher = ml.SelfSupervised().Mae(TinyTraining.MaskedMae().With(o => o.MaskBias.InitialValue = 2)).Fit(data);
        var before = TinyTraining.Weights(teacher.Encoder);
        var options = TinyTraining.Distillation().With(o => (o.MaskColumnName, o.Epochs, o.LearningRate) = ("Masks", 20, 0.2));
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(data);

        TinyTraining.AssertSame(before, TinyTraining.Weights(teacher.Encoder));
        Assert.Single(student.Report.Adjustments, a => a.StartsWith("Views.LocalViews is 0, not 1", StringComparison.Ordinal));
        Assert.False(student.Encoder.Model.IsMaskGuided);
        Assert.True(student.Encoder is { Head: null, Decoder: null });
        var (mine, its) = (student.Encoder.Model.Options, teacher.Encoder.Model.Options);
        Assert.Equal((its.Pooling, its.Positions), (mine.Pooling, mine.Positions));
        Assert.True(student.Report.Losses.TakeLast(4).Average() < student.Report.Losses.Take(4).Average());
        using var file = new MemoryStream();
        ml.Model.Save(student, scenes.Load(ml).Schema, file);
        Assert.True(file.Length > 0);
        Assert.All(student.Transform(scenes.Load(ml)).GetColumn<float[]>("Features"), f => Assert.Equal(24, f.Length));

        using var without = ml.SelfSupervised().Distill(teacher, options.With(o => o.MaskColumnName = null)).Fit(data);
        Assert.NotEqual(student.Report.Losses[0], without.Report.Losses[0]);
    }

    [Fact]
    public void The_loss_is_the_smooth_distance_to_the_teachers_normalised_tokens()
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(guided: true, seed: 1);
        using var student = Model(guided: false, seed: 2);
        using var method = new FeatureDistillationMethod(student, teacher, 1, CPU);
        using var batch = MaeMethodTests.Batch(masks: true);
        double actual = method.Loss(batch, default).ToDouble(), sum = 0;
        float[] tokens = TinyTraining.Values(teacher.ForwardTokens(batch.Global.Images, batch.Global.MaskTokens));
        float[] predicted = TinyTraining.Values(student.ForwardTokens(batch.Global.Images));
        for (int start = 0; start < tokens.Length; start += 24)
        {
            var token = tokens.Skip(start).Take(24).ToArray();
            double mean = token.Average(t => t), variance = token.Average(t => (t - mean) * (t - mean));
            for (int i = start; i < start + 24; i++)
            {
                double distance = Math.Abs(predicted[i] - (tokens[i] - mean) / Math.Sqrt(variance + 1e-6));
                sum += distance < 1 ? 0.5 * distance * distance : distance - 0.5;
            }
        }
        Assert.Equal(sum / tokens.Length, actual, 1e-5);
        Assert.DoesNotContain(method.Parameters, p => p.Name.StartsWith("projection", StringComparison.Ordinal));
    }

    [Fact]
    public void A_student_of_another_width_learns_through_a_projection_that_is_not_kept()
    {
        using var teacher = new VisionEncoder(Model(guided: false, seed: 1));
        var narrow = new VitOptions { ImageSize = 32, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 };
        using var student = ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o => o.Student = narrow))
            .Fit(scenes.Load(ml));
        Assert.Equal(12, student.Encoder.FeatureDim);
        Assert.All(TinyTraining.Weights(student.Encoder).Keys, name => Assert.StartsWith("backbone.", name));

        using var model = new VisionTransformer(narrow, 1);
        using var method = new FeatureDistillationMethod(model, teacher.Model, 1, CPU);
        var projection = method.Parameters.Where(p => p.Name.StartsWith("projection.", StringComparison.Ordinal));
        Assert.Equal([true, true], projection.Select(p => p.Parameter.requires_grad));
        using var grandchild = ml.SelfSupervised().Distill(student, TinyTraining.Distillation()).Fit(scenes.Load(ml));
        Assert.Equal(12, grandchild.Encoder.FeatureDim);
    }

    [Fact]
    public void A_student_pools_as_its_teacher_does()
    {
        var options = TinyTraining.Encoder(imageSize: 32);
        options.Pooling = FeaturePooling.Mean;
        using var teacher = new VisionEncoder(new VisionTransformer(options, 1));
        var distillation = TinyTraining.Distillation().With(o => o.Student = TinyTraining.Encoder(imageSize: 32));
        using var student = ml.SelfSupervised().Distill(teacher, distillation).Fit(scenes.Load(ml));
        Assert.Equal(FeaturePooling.Mean, student.Encoder.Model.Options.Pooling);
        Assert.Contains("Student.Pooling is Mean, not ClassToken: it is the teacher's.", student.Report.Adjustments);

        // where prototypes are learned, any feature will do
        using var prototypes = TinyTraining.Teacher(options: options);
        using var other = ml.SelfSupervised().Distill(prototypes, distillation).Fit(scenes.Load(ml));
        Assert.Equal(FeaturePooling.ClassToken, other.Encoder.Model.Options.Pooling);
    }

    [Theory]
    [InlineData(StudentInit.Auto, true)]
    [InlineData(StudentInit.Teacher, true)]
    [InlineData(StudentInit.Fresh, false)]
    public void A_student_starts_from_the_teacher_or_fresh(StudentInit init, bool fromTeacher)
    {
        using var teacher = new VisionEncoder(Model(guided: true, seed: 1));
        var options = TinyTraining.Distillation().With(o => (o.StudentInit, o.LearningRate, o.MinLearningRate) = (init, 1e-30, 0));
        (options.WeightDecay, options.FinalWeightDecay) = (0, 0);
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.Load(ml));
        const string name = "backbone.blocks.1.mlp.fc1.weight";
        Assert.Equal(fromTeacher, TinyTraining.Weights(teacher)[name].SequenceEqual(TinyTraining.Weights(student.Encoder)[name]));
    }

    private static VisionTransformer Model(bool guided, long seed)
    {
        var options = TinyTraining.Encoder(imageSize: 32);
        options.Positions = PositionKind.SinCos;
        if (guided) options.MaskBias = new() { InitialValue = 1 };
        var model = new VisionTransformer(options, seed);
        model.eval();
        return model;
    }
}
