using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Study.DryRuns;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>What a dry run counts, against what is published of the encoders.</summary>
public sealed class TrainingCostTests
{
    // Touvron et al. (ICML 2021): 5, 22 and 86 million weights; 1.3, 4.6 and 17.6 billion multiply-adds for an image of 224 pixels.
    [Theory]
    [InlineData(192, 3, 5.7e6, 1.3e9)]
    [InlineData(384, 6, 22e6, 4.6e9)]
    [InlineData(768, 12, 86e6, 17.6e9)]
    public void An_encoder_has_the_weights_and_operations_that_are_published(int width, int heads, double weights, double multiplyAdds)
    {
        var cost = TrainingCost.OfLabels(new FineTuneOptions { Epochs = 3, BatchSize = 64 }, 200, new() { EmbedDim = width, Heads = heads });
        Assert.Equal(1, cost.Parameters / weights, 0.05);
        Assert.Equal(1, cost.OperationsPerImage / (3 * 2 * multiplyAdds), 0.05);
        Assert.Equal((64, 9L), (cost.Batch, cost.Steps));
    }

    // The student sees 2 views of 197 tokens and 8 of 37, forward and backward; the teacher the 2 forward.
    [Fact]
    public void DINO_costs_its_views()
    {
        var options = new DinoOptions { Head = new() { OutDim = 1, HiddenDim = 1, BottleneckDim = 1 } };
        double one = TrainingCost.OfLabels(new FineTuneOptions(), 1000, VitOptions.Small()).OperationsPerImage / 3;
        var cost = TrainingCost.Of(options, 1000, VitOptions.Small());
        Assert.Equal(2 * (3 + 1) * one + 3 * 8 * one * 37 / 197, cost.OperationsPerImage, 0.03 * cost.OperationsPerImage);
        Assert.Equal((1000, 512, 100L), (cost.Images, cost.Batch, cost.Steps));
    }

    // A quarter of the patches for the encoder; He et al. (CVPR 2022): about three times as fast as with all of them.
    [Fact]
    public void MAE_costs_what_it_sees_and_memory_is_that_of_a_part_of_the_batch()
    {
        var whole = new MaeOptions { Encoder = VitOptions.Base(), BatchSize = 256 };
        double all = TrainingCost.OfLabels(new FineTuneOptions(), 1000, VitOptions.Base()).OperationsPerImage;
        var cost = TrainingCost.Of(whole, 1000, VitOptions.Base());
        Assert.InRange(cost.OperationsPerImage / all, 0.25, 0.6);
        whole.AccumulationSteps = 8;
        Assert.True(TrainingCost.Of(whole, 1000, VitOptions.Base()).Gigabytes < cost.Gigabytes / 3);
    }
}
