using MaskBias.MLNet.Samples.Cli.Study.Results;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>Intervals of paired differences whose width is known.</summary>
public sealed class PairedBootstrapTests
{
    [Fact]
    public void What_never_differs_has_no_width()
    {
        double[] same = [.. Enumerable.Repeat(1.0, 50)];
        Assert.Equal((1, 1, 1), PairedBootstrap.Interval([same, same, same]));
    }

    // One seed: the mean of n draws of a coin has the deviation 1/(2√n), and 1.96 of them are on each side.
    [Fact]
    public void One_seed_has_the_width_of_its_images()
    {
        double[] coin = [.. Enumerable.Range(0, 400).Select(i => i % 2 * 1.0)];
        var (mean, low, high) = PairedBootstrap.Interval([coin], draws: 20_000);
        Assert.Equal(0.5, mean, 1e-12);
        Assert.Equal(0.5 - 1.96 * 0.025, low, 0.004);
        Assert.Equal(0.5 + 1.96 * 0.025, high, 0.004);
    }

    // Images without any spread, and seeds that differ: of k seeds of 0 and k of 1 the mean has the deviation 1/(2√2k).
    [Fact]
    public void Seeds_have_a_width_of_their_own()
    {
        var seeds = Enumerable.Range(0, 64).Select(s => Enumerable.Repeat(s % 2 * 1.0, 10).ToArray()).ToList();
        var (mean, low, high) = PairedBootstrap.Interval(seeds, draws: 20_000);
        Assert.Equal(0.5, mean, 1e-12);
        Assert.Equal(0.5 - 1.96 / 16, low, 0.01);
        Assert.Equal(0.5 + 1.96 / 16, high, 0.01);
    }

    // Two seeds that are right on the same images say no more of the images than one.
    [Fact]
    public void A_draw_has_the_same_images_for_all_seeds()
    {
        double[] coin = [.. Enumerable.Range(0, 400).Select(i => i % 2 * 1.0)];
        var (_, low, high) = PairedBootstrap.Interval([coin, coin, coin, coin], draws: 20_000);
        Assert.Equal(2 * 1.96 * 0.025, high - low, 0.008);
    }

    [Fact]
    public void The_same_differences_give_the_same_interval()
    {
        double[] values = [.. Enumerable.Range(0, 90).Select(i => Math.Sin(i))];
        Assert.Equal(PairedBootstrap.Interval([values, values[..]]), PairedBootstrap.Interval([values, values[..]]));
    }

    [Fact]
    public void Seeds_with_other_images_are_refused()
    {
        Assert.Throws<ArgumentException>(() => PairedBootstrap.Interval([]));
        Assert.Throws<ArgumentException>(() => PairedBootstrap.Interval([[]]));
        Assert.Throws<ArgumentException>(() => PairedBootstrap.Interval([[1, 2], [1]]));
    }
}
