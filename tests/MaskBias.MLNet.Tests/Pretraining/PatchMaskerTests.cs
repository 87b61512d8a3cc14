using MaskBias.MLNet.Pretraining.Mae;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>Which patches are hidden.</summary>
public sealed class PatchMaskerTests
{
    [Theory]
    [InlineData(14, 0.75, 1, 49)]
    [InlineData(28, 0.75, 2, 196)]
    [InlineData(4, 0.7, 1, 4)]            // 4.8, rounded down
    [InlineData(6, 0.75, 3, 9)]
    public void Each_image_sees_its_share_in_whole_blocks(int grid, double ratio, int block, int visible)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var masker = new PatchMasker(grid, ratio, block);
        var masking = masker.Draw(8, generator, CPU);
        Assert.Equal(visible, masker.VisiblePatches);
        Assert.Equal([8L, visible], masking.Visible.shape);
        Assert.Equal([8L, grid * grid], masking.Restore.shape);
        var pictures = masking.Hidden.view(8, 1, grid, grid);
        Assert.All(TinyTraining.Values(pictures.sum([1, 2, 3])), hidden => Assert.Equal(grid * grid - visible, hidden));
        var means = nn.functional.avg_pool2d(pictures, block);                     // a block is hidden as a whole
        Assert.True(means.eq(0).logical_or(means.eq(1)).all().ToBoolean());
        var shown = zeros_like(masking.Hidden).scatter_(1, masking.Visible, ones(8, visible));
        Near.Equal(1 - masking.Hidden, shown, 0, "visible patches");
        Assert.True(Enumerable.Range(1, 7).Any(i => Near.Difference(masking.Hidden[0], masking.Hidden[i]) > 0), "all images hide the same");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Restoring_puts_every_patch_where_it_was(int block)
    {
        using var scope = NewDisposeScope();
        var masker = new PatchMasker(4, 0.5, block);
        var masking = masker.From(rand(3, masker.Blocks));
        var patches = arange(16).expand(3, 16);
        var seen = patches.gather(1, masking.Visible);
        var restored = cat([seen, full([3, 16 - masker.VisiblePatches], -1, dtype: ScalarType.Int64)], 1).gather(1, masking.Restore);
        Near.Equal(where(masking.Hidden == 1, full_like(patches, -1), patches), restored, 0, "patches");
    }

    [Fact]
    public void Blocks_of_equal_noise_stay_whole()
    {
        using var scope = NewDisposeScope();
        var masking = new PatchMasker(4, 0.5, 2).From(zeros(1, 4));
        var blocks = nn.functional.avg_pool2d(masking.Hidden.view(1, 1, 4, 4), 2);
        Assert.Equal([0f, 0, 1, 1], TinyTraining.Values(blocks).Order());
    }

    [Fact]
    public void The_seed_decides()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(3), Draw(4));

        float[] Draw(ulong seed)
        {
            using var generator = new Generator(seed, CPU);
            return TinyTraining.Values(new PatchMasker(8, 0.75, 1).Draw(4, generator, CPU).Hidden);
        }
    }
}
