using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using Microsoft.ML;
using TorchSharp;

namespace MaskBias.MLNet.Tests.Training;

public sealed class TrainingPrecisionTests
{
    [Fact]
    public void An_unknown_precision_is_refused()
    {
        var ml = new MLContext(seed: 1);
        const TrainingPrecision Unknown = (TrainingPrecision)7;
        foreach (var make in new Action[]
        {
            () => ml.SelfSupervised().Dino(TinyTraining.Dino().With(o => o.Precision = Unknown)),
            () => ml.SelfSupervised().Mae(TinyTraining.Mae().With(o => o.Precision = Unknown)),
            () =>
            {
                using var teacher = TinyTraining.Teacher();
                ml.MulticlassClassification.Trainers.FineTune(teacher, FineTuneOptions.Dino().With(o => o.Precision = Unknown));
            },
        })
        {
            Assert.Contains("Precision is 7; it must be Float32, TensorFloat32 or BFloat16.", Assert.Throws<ArgumentException>(make).Message);
        }
    }

    [Fact]
    public void Training_in_bfloat16_comes_near_that_in_float32_and_leaves_an_encoder_in_float32()
    {
        using var folder = new SceneFolder();
        var ml = new MLContext(seed: 1);
        var data = folder.LoadWithMasks(ml);
        Near(p => ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o => (o.Precision, o.FreezeBiasEpochs) = (p, 0))).Fit(data));
        Near(p => ml.SelfSupervised().Mae(TinyTraining.MaskedMae().With(o => o.Precision = p)).Fit(data));
        using var teacher = TinyTraining.Teacher();
        Near(p => ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o => o.Precision = p)).Fit(data));

        static void Near(Func<TrainingPrecision, MaskBias.MLNet.Pretraining.PretrainedTransformer> fit)
        {
            using var full = fit(TrainingPrecision.Float32);
            using var half = fit(TrainingPrecision.BFloat16);
            Assert.Null(half.Encoder.Model.ComputeType);
            Assert.All(half.Encoder.Model.parameters(), p => Assert.Equal(torch.ScalarType.Float32, p.dtype));
            double apart = full.Report.Losses.Zip(half.Report.Losses).Max(p => Math.Abs(p.First - p.Second) / p.First);
            Assert.InRange(apart, 1e-9, 0.02);               // another precision, the same course
        }
    }
}
