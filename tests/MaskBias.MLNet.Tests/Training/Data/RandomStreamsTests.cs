using MaskBias.MLNet.Training.Data;

namespace MaskBias.MLNet.Tests.Training.Data;

public sealed class RandomStreamsTests
{
    // Pretraining draws its views so: other numbers would make every run another one.
    [Theory]
    [InlineData(1, 0, -1, 1025502181)]
    [InlineData(3, 7, 42, 1324287277)]
    [InlineData(-5, 2, -2, 1274401519)]
    public void What_is_drawn_for_views_stays(int seed, int epoch, int stream, int expected)
    {
        Assert.Equal(expected, RandomStreams.Seed(seed, epoch, (RandomStream)stream));
        Assert.Equal(new Random(expected).Next(), RandomStreams.Open(seed, epoch, stream).Next());
    }

    [Fact]
    public void No_seed_draws_what_its_neighbours_draw_a_few_steps_later()
    {
        int[][] drawn = [.. Enumerable.Range(1, 4).SelectMany(seed => Enum.GetValues<RandomStream>().Select(stream =>
            Enumerable.Range(0, 2000).Select(step => RandomStreams.Seed(seed, step, stream)).ToArray()))];
        Assert.All(drawn.SelectMany(d => d), d => Assert.True(d >= 0));
        for (int i = 0; i < drawn.Length; i++)
        {
            for (int other = 0; other < i; other++) Assert.InRange(drawn[i].Intersect(drawn[other]).Count(), 0, 1);
        }
    }
}
