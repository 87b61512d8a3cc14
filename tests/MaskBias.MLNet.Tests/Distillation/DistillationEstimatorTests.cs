using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Distillation;

/// <summary>Distillation as the estimator runs it.</summary>
public sealed class DistillationEstimatorTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void The_teacher_stays_as_it_is_and_the_student_is_plain()
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true);
        var before = TinyTraining.Weights(teacher);
        var options = TinyTraining.Distillation().With(o => (o.MaskColumnName, o.Epochs) = ("Masks", 3));
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.LoadWithMasks(ml));

        TinyTraining.AssertSame(before, TinyTraining.Weights(teacher));
        Assert.False(teacher.Model.training);
        Assert.False(student.Encoder.Model.IsMaskGuided);
        Assert.Empty(student.Encoder.Model.BiasParameters);
        Assert.False(student.Encoder.Model.training);
        Assert.Equal("Distillation", student.Report.Phase);
        var after = TinyTraining.Weights(student.Encoder);
        Assert.NotEqual(before["backbone.blocks.0.attn.qkv.weight"], after["backbone.blocks.0.attn.qkv.weight"]);

        // an ordinary encoder: it embeds without masks and is saved as any ML.NET model
        var embedded = student.Transform(scenes.Load(ml));
        Assert.All(embedded.GetColumn<float[]>("Features"), f => Assert.Equal(24, f.Length));
        using var file = new MemoryStream();
        ml.Model.Save(student, scenes.Load(ml).Schema, file);
        Assert.True(file.Length > 0);
    }

    [Fact]
    public void The_teacher_sees_the_masks()
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true);
        var with = Losses(TinyTraining.Distillation().With(o => o.MaskColumnName = "Masks"));
        var without = Losses(TinyTraining.Distillation());
        Assert.All(Pairs.Of(with, without), pair => Assert.NotEqual(pair.First, pair.Second));

        IReadOnlyList<double> Losses(DistillationOptions options)
        {
            using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.LoadWithMasks(ml));
            return student.Report.Losses;
        }
    }

    [Fact]
    public void Masks_that_are_not_there_are_warned_of()
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true);
        using var plain = TinyTraining.Teacher();
        Assert.StartsWith("The teacher is guided by masks, but MaskColumnName is null", Assert.Single(Warnings(teacher, null, scenes.LoadWithMasks(ml))));
        var rows = scenes.Rows();
        foreach (var row in rows) row.Masks = MaskSet.Empty(SceneFolder.Side, SceneFolder.Side).Encode();
        Assert.StartsWith("No row has masks in column 'Masks'", Assert.Single(Warnings(teacher, "Masks", ml.Data.LoadFromEnumerable(rows))));
        rows[^1] = scenes.Rows()[^1];
        Assert.Empty(Warnings(teacher, "Masks", ml.Data.LoadFromEnumerable(rows)));
        Assert.Empty(Warnings(plain, null, scenes.LoadWithMasks(ml)));

        IReadOnlyList<string> Warnings(VisionEncoder of, string? column, IDataView data)
        {
            using var student = ml.SelfSupervised().Distill(of, TinyTraining.Distillation().With(o => o.MaskColumnName = column)).Fit(data);
            return student.Report.Warnings;
        }
    }

    [Theory]
    [InlineData(StudentInit.Auto, 4, true)]
    [InlineData(StudentInit.Teacher, 4, true)]
    [InlineData(StudentInit.Fresh, 4, false)]
    [InlineData(StudentInit.Auto, 8, false)]
    [InlineData(StudentInit.Fresh, 8, false)]
    public void A_student_starts_from_the_teacher_or_fresh(StudentInit init, int patchSize, bool fromTeacher)
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true, TinyTraining.Encoder(patchSize: 4));
        var options = TinyTraining.Distillation().With(o =>
            (o.StudentInit, o.Student) = (init, TinyTraining.Encoder(patchSize: patchSize)));
        // it stays where it starts
        (options.LearningRate, options.MinLearningRate, options.WeightDecay, options.FinalWeightDecay) = (1e-30, 0, 0, 0);
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.Load(ml));

        var (start, known) = (TinyTraining.Weights(student.Encoder), TinyTraining.Weights(teacher));
        Assert.Equal(patchSize, student.Encoder.Model.Options.PatchSize);
        Assert.Equal(fromTeacher, start["backbone.blocks.1.mlp.fc1.weight"].SequenceEqual(known["backbone.blocks.1.mlp.fc1.weight"]));
        Assert.Equal(fromTeacher, start["backbone.pos_embed"].SequenceEqual(known["backbone.pos_embed"]));
        Assert.Equal(known["head.last_layer.weight_v"], start["head.last_layer.weight_v"]);
    }

    [Theory]
    [InlineData(4, 8)]
    [InlineData(8, 4)]
    [InlineData(16, 4)]                 // the local views are smaller than a patch of the teacher, which does not see them
    public void The_masks_are_cut_into_the_teachers_patches(int teachers, int students)
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true, TinyTraining.Encoder(patchSize: teachers));
        var options = TinyTraining.Distillation().With(o => (o.MaskColumnName, o.Student) = ("Masks", TinyTraining.Encoder(patchSize: students)));
        using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.LoadWithMasks(ml));
        Assert.Equal(students, student.Encoder.Model.Options.PatchSize);
        Assert.All(student.Report.Losses, loss => Assert.True(double.IsFinite(loss)));
    }

    [Fact]
    public void A_student_of_another_width_has_a_head_of_its_own_and_the_same_prototypes_in_number()
    {
        using var teacher = TinyTraining.Teacher();
        var narrow = new VitOptions { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 1, Heads = 2 };
        using var student = ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o => o.Student = narrow))
            .Fit(scenes.Load(ml));
        Assert.Equal((12, 1), (student.Encoder.FeatureDim, student.Encoder.Model.Options.Depth));
        Assert.Equal((12, 32), (student.Encoder.Head!.InputDim, student.Encoder.Head.Options.OutDim));
    }

    [Fact]
    public void A_student_can_teach_in_turn_and_its_normalisation_is_the_teachers()
    {
        using var model = new VisionTransformer(TinyTraining.Encoder(), 3);
        using var teacher = new VisionEncoder(model, new DinoHead(24, TinyTraining.Head(), 3), new([0.5f, 0.5f, 0.5f], [0.2f, 0.2f, 0.2f]));
        using var student = ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation()).Fit(scenes.Load(ml));
        Assert.Equal(teacher.Normalization, student.Encoder.Normalization);
        using var grandchild = ml.SelfSupervised().Distill(student, TinyTraining.Distillation()).Fit(scenes.Load(ml));
        Assert.Equal(24, grandchild.Encoder.FeatureDim);
    }

    [Fact]
    public void The_same_seed_gives_the_same_student()
    {
        using var teacher = TinyTraining.Teacher();
        var first = Train(4, 1);
        TinyTraining.AssertSame(first, Train(4, 3));
        Assert.NotEqual(first["backbone.cls_token"], Train(5, 1)["backbone.cls_token"]);

        Dictionary<string, float[]> Train(int seed, int threads)
        {
            var options = TinyTraining.Distillation().With(o => (o.Seed, o.LoaderThreads) = (seed, threads));
            using var student = ml.SelfSupervised().Distill(teacher, options).Fit(scenes.Load(ml));
            return TinyTraining.Weights(student.Encoder);
        }
    }
}
