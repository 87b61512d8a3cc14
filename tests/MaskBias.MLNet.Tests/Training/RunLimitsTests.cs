using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Monitoring;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Training;

public class RunLimitsTests
{
    [Theory]
    [InlineData(8, 5, 2, 4, 4, 1)]          // as few parts as leave every rank an image
    [InlineData(8, 7, 2, 1, 6, 2)]
    [InlineData(8, 9, 2, 4, 8, 2)]
    public void A_batch_is_at_most_the_images_in_parts_for_every_rank(int wanted, int images, int parts, int ranks, int batch, int inParts) =>
        Assert.Equal((batch, inParts), new RunLimits(1).Batch(wanted, images, parts, ranks));

    [Fact]
    public void More_ranks_than_images_are_refused() =>
        Assert.Contains("There are 3 images for 4 ranks", Assert.Throws<ArgumentException>(() => new RunLimits(1).Batch(8, 3, 2, 4)).Message);

    [Theory]
    [InlineData(0.9999, 1_000_000, 0.9999, 0)]
    [InlineData(0.9999, 1000, 0.99, 1)]
    [InlineData(0.9999, 5, 0, 1)]               // the weights themselves
    [InlineData(0.5, 1000, 0.5, 0)]
    public void An_average_looks_back_over_a_tenth_of_a_run_at_most(double wanted, long steps, double momentum, int notes)
    {
        var limits = new RunLimits(1);
        Assert.Equal(momentum, limits.Momentum("EmaMomentum", wanted, steps), 1e-12);
        Assert.Equal(notes, limits.Adjustments.Count);
    }

    [Fact]
    public void A_run_is_resumed_with_the_batch_that_it_had()
    {
        RunDescription Of(string batch) => new()
        {
            Phase = "DINO", Seed = 1, Data = "", Options = new Dictionary<string, string>(), Adjustments = [],
            Resolved = new Dictionary<string, string> { [RunDescription.BatchSize] = batch },
        };
        Assert.Equal(["batchSize was 101, now 100"], Of("100").DifferencesFrom(Of("101")));
        Assert.Empty(Of("100").DifferencesFrom(Of("100")));
    }

    [Fact]
    public void A_monitor_that_one_rank_alone_has_is_named()
    {
        var run = new RunDescription
        {
            Phase = "DINO", Seed = 1, Data = "", Options = OptionsDescription.Of(new DinoOptions()), Adjustments = [],
            Resolved = new Dictionary<string, string>(),
        };
        Assert.DoesNotContain(run.Options.Keys, name => name.StartsWith("NearestNeighborMonitor", StringComparison.Ordinal));
        var (with, without) = (run.With("NearestNeighborMonitor", new NearestNeighborMonitorOptions { K = 7 }), run.With("NearestNeighborMonitor", null));
        Assert.Contains("NearestNeighborMonitor was null, now not there", with.DifferencesFrom(without));
        Assert.Contains("NearestNeighborMonitor.K was not there, now 7", with.DifferencesFrom(without));
        Assert.Empty(with.DifferencesFrom(with));
    }

    [Fact]
    public void Images_keep_what_the_smallest_crop_shows()
    {
        var views = new MultiCropOptions { GlobalMinScale = 0.25, LocalMinScale = 0.04, LocalViews = 2 };
        Assert.Equal(480, ViewSizes.For(views, VitOptions.Small()).KeptSide);                  // 96 / 0.2
        views.LocalViews = 0;
        Assert.Equal(448, ViewSizes.For(views, VitOptions.Small()).KeptSide);                  // 224 / 0.5
    }

    [Fact]
    public void Choices_that_are_none_are_named_with_those_that_are()
    {
        var dino = new DinoOptions { OnUnreadableImage = (UnreadableTrainingImage)9 };
        dino.Output.WhenUsed = (ExistingRun)7;
        string message = Assert.Throws<ArgumentException>(() => OptionsValidator.Validate(dino)).Message;
        Assert.Contains("OnUnreadableImage is 9; it must be ", message);
        Assert.Contains("Output.WhenUsed is 7; it must be Refuse, Resume or Overwrite.", message);
        var probe = LinearProbeOptions.Sweep();
        probe.MinLearningRate = 1e-6;
        Assert.Contains("with several it must be 0", Assert.Throws<ArgumentException>(() => OptionsValidator.Validate(probe)).Message);
    }
}
