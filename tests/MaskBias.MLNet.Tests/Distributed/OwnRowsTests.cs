using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Training;
using TorchSharp;

namespace MaskBias.MLNet.Tests.Distributed;

public sealed class OwnRowsTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 8)]
    [InlineData(3, 9)]            // odd shares
    [InlineData(4, 4)]            // one row each
    [InlineData(7, 42)]
    public void Ranks_have_every_row_once(int ranks, int whole)
    {
        var all = Enumerable.Range(0, ranks).Select(rank => OwnRows.Of(rank, ranks, whole)).ToList();
        Assert.Equal(Enumerable.Range(0, whole), all.SelectMany(o => o.Positions).Order());
        Assert.All(all, o => Assert.Equal(whole / ranks, o.Positions.Length));
        Assert.All(all, o => Assert.Equal(o.Positions.Order(), o.Positions));
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(3, 12)]
    public void Rows_that_are_mixed_are_of_one_rank_and_at_mirrored_places(int ranks, int whole)
    {
        for (int rank = 0; rank < ranks; rank++)
        {
            var own = OwnRows.Of(rank, ranks, whole);
            Assert.True(own.KeepsPairs);
            Assert.Equal(own.Positions.Select(p => whole - 1 - p), own.Positions.Reverse());
        }
    }

    [Fact]
    public void A_batch_that_does_not_divide_is_refused() =>
        Assert.Contains("10 rows", Assert.Throws<ArgumentException>(() => OwnRows.Of(0, 3, 10)).Message);

    [Theory]
    [InlineData(12, 100, 1, 4, 12, "")]
    [InlineData(64, 30, 1, 4, 28, "28, not 64: there are 30 images, and 4 ranks share them evenly")]
    [InlineData(64, 30, 4, 4, 24, "24, not 64: there are 30 images, and 4 ranks share them evenly")]
    public void The_batch_is_that_of_all_ranks_and_divides(int wanted, int images, int parts, int ranks, int batch, string note)
    {
        var limits = new RunLimits(1);
        Assert.Equal(batch, limits.Batch(wanted, images, parts, ranks).Batch);
        Assert.Contains(note, string.Concat(limits.Adjustments));
    }

    [Theory]
    [InlineData(256, 150, 2, 148, "BatchSize is 148, not 256: there are 150 images, and 2 ranks share them evenly in pairs.")]
    [InlineData(256, 150, 1, 150, "BatchSize is 150, not 256: there are 150 images.")]           // whose middle one is alone
    [InlineData(64, 30, 4, 24, "24, not 64: there are 30 images, and 4 ranks share them evenly in pairs.")]
    public void A_small_batch_whose_images_are_mixed_gives_each_rank_whole_pairs(int wanted, int images, int ranks, int batch, string note)
    {
        var limits = new RunLimits(1);
        Assert.Equal(batch, limits.Batch(wanted, images, ranks: ranks, inPairs: true).Batch);
        Assert.EndsWith(note, Assert.Single(limits.Adjustments));
        Assert.All(Enumerable.Range(0, ranks), rank => Assert.True(OwnRows.Of(rank, ranks, batch).KeepsPairs));
        Assert.Contains("every rank needs two at least", Assert.Throws<ArgumentException>(() => limits.Batch(64, 7, ranks: 4, inPairs: true)).Message);
    }

    [Theory]
    [InlineData(10, 100, 1, 4, "BatchSize is 10; it is that of all 4 ranks together and must be a multiple of 4.")]
    [InlineData(12, 100, 2, 4, "must be a multiple of 8: 4 ranks × AccumulationSteps 2.")]
    [InlineData(8, 3, 1, 4, "There are 3 images for 4 ranks")]
    public void What_cannot_be_shared_out_is_refused(int wanted, int images, int parts, int ranks, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new RunLimits(1).Batch(wanted, images, parts, ranks)).Message);

    [Fact]
    public void Each_view_has_the_same_rows()
    {
        var own = OwnRows.Of(1, 2, 4);
        Assert.Equal([1L, 2], own.InViews(2));
        Assert.Equal([1L, 2, 5, 6, 9, 10], own.InViews(6));
    }

    [Fact]
    public void What_a_row_draws_does_not_depend_on_the_ranks()
    {
        const int Views = 3, Whole = 6;
        float[] all = Draw(null, Views * Whole);
        for (int rank = 0; rank < 2; rank++)
        {
            var own = OwnRows.Of(rank, 2, Whole);
            Assert.Equal(own.InViews(Views * Whole / 2).Select(place => all[place]), Draw(own, Views * Whole / 2));
        }

        static float[] Draw(OwnRows? own, long rows)
        {
            using var scope = torch.NewDisposeScope();
            using var generator = new torch.Generator(4, torch.CPU);
            return [.. new RowDraws(generator) { Own = own }.Uniform(rows, 1).data<float>()];
        }
    }
}
