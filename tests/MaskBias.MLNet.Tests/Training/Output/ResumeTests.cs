using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>A run that is interrupted and resumed is the run that was not, to the bit.</summary>
public sealed class ResumeTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private const int Epochs = 4;

    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(11)]
    public void Dino_cancelled_after_any_step_goes_on_bit_for_bit(int steps) => Interrupt(steps, Dino);

    [Fact]
    public void What_a_listener_throws_as_an_epoch_ends_leaves_a_checkpoint_that_loads()
    {
        using var whole = Dino(null, new(), default);
        var fault = new Each(p =>
        {
            if (p.Step == 3) throw new FormatException("the listener's own fault");
        });
        Assert.Throws<FormatException>(() => Dino(fault, new() { Folder = folder.Path, CheckpointEpochs = 0 }, default));
        using var resumed = Dino(null, new() { Folder = folder.Path, WhenUsed = ExistingRun.Resume }, default);
        Assert.Equal(3, resumed.Report.ResumedSteps);
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Mae_in_parts_goes_on_bit_for_bit(int steps) => Interrupt(steps, Mae);

    [Theory]
    [InlineData(true, 5)]
    [InlineData(false, 5)]
    public void Distillation_goes_on_bit_for_bit(bool hasHead, int steps)
    {
        using var teacher = hasHead ? TinyTraining.Teacher(maskGuided: true)
            : new(new MaskBias.MLNet.Vit.VisionTransformer(TinyTraining.Encoder().With(o => o.MaskBias = new() { InitialValue = 1 }), 8));
        Interrupt(steps, (progress, output, cancel) => ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation().With(o =>
        {
            (o.MaskColumnName, o.Epochs, o.BatchSize, o.DropPath) = ("Masks", Epochs, 3, 0.2);
            (o.Progress, o.Output, o.CancellationToken) = (progress, output, cancel);
        })).Fit(scenes.LoadWithMasks(ml)));
    }

    [Fact]
    public void A_run_that_ended_is_not_trained_again()
    {
        var output = new RunOutputOptions { Folder = folder.Path, WhenUsed = ExistingRun.Resume };
        using var first = Dino(null, output, default);
        int steps = 0;
        using var second = Dino(new Each(_ => steps++), output, default);
        Assert.Equal(0, steps);
        Assert.Equal(first.Report.Losses, second.Report.Losses);
        Assert.Equal(first.Report.Losses.Count, second.Report.ResumedSteps);
        TinyTraining.AssertSame(TinyTraining.Weights(first.Encoder), TinyTraining.Weights(second.Encoder));
    }

    [Fact]
    public void A_run_killed_before_its_first_checkpoint_starts_over()
    {
        using (var cancel = new CancellationTokenSource())
        {
            cancel.Cancel();
            Assert.Throws<OperationCanceledException>(() => Dino(null, new() { Folder = folder.Path }, cancel.Token));
        }
        using var plain = Dino(null, new(), default);
        using var resumed = Dino(null, new() { Folder = folder.Path, WhenUsed = ExistingRun.Resume }, default);
        Assert.Equal(plain.Report.Losses, resumed.Report.Losses);
    }

    // Cancels after so many steps, resumes, and compares with a run in one piece.
    private void Interrupt(int steps, Func<IProgress<TrainingProgress>?, RunOutputOptions, CancellationToken, PretrainedTransformer> fit)
    {
        using var whole = fit(null, new(), default);
        using (var cancel = new CancellationTokenSource())
        {
            var stop = new Each(p =>
            {
                if (p.Step == steps) cancel.Cancel();
            });
            Assert.ThrowsAny<OperationCanceledException>(() =>
                fit(stop, new() { Folder = folder.Path, CheckpointEpochs = 0 }, cancel.Token));
        }
        long first = 0;
        using var resumed = fit(new Each(p => first = first == 0 ? p.Step : first),
            new() { Folder = folder.Path, WhenUsed = ExistingRun.Resume }, default);
        Assert.Equal(steps + 1, first);
        Assert.Equal(steps, resumed.Report.ResumedSteps);
        Assert.Equal(whole.Report.Losses, resumed.Report.Losses);
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    // Everything that has a state: masks, α unfrozen after an epoch, stochastic depth, prototypes frozen for an epoch, batch normalisation.
    private PretrainedTransformer Dino(IProgress<TrainingProgress>? progress, RunOutputOptions output, CancellationToken cancel) =>
        ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o =>
        {
            (o.Epochs, o.BatchSize, o.DropPath, o.FreezeBiasEpochs, o.Head.UseBatchNorm) = (Epochs, 3, 0.3, 1, true);
            (o.Progress, o.Output, o.CancellationToken) = (progress, output, cancel);
        })).Fit(scenes.LoadWithMasks(ml));

    private PretrainedTransformer Mae(IProgress<TrainingProgress>? progress, RunOutputOptions output, CancellationToken cancel) =>
        ml.SelfSupervised().Mae(TinyTraining.MaskedMae().With(o =>
        {
            (o.Epochs, o.BatchSize, o.AccumulationSteps) = (Epochs, 4, 2);
            (o.Progress, o.Output, o.CancellationToken) = (progress, output, cancel);
        })).Fit(scenes.LoadWithMasks(ml));

    public void Dispose() => folder.Dispose();
}
