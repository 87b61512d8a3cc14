using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Tests.Masks;

public sealed class MaskResizingTests
{
    [Fact]
    public void Masks_that_would_have_too_many_runs_are_refused()
    {
        var stripes = MaskSet.FromBitmaps(4, 6, [MaskScenes.Paint(4, 6, (x, _) => x % 2 == 1)]);
        Assert.Equal(2 * 3 * 40, MaskResizing.Nearest(stripes, 40, 60, maxRuns: 240).AllRuns.Length);
        var error = Assert.Throws<InvalidDataException>(() => MaskResizing.Nearest(stripes, 40, 60, maxRuns: 239));
        Assert.Equal("1 masks of 6x4 have more than 239 runs when resized to 60x40.", error.Message);
    }

    [Fact]
    public void Runs_that_go_on_in_the_next_row_count_once()
    {
        var full = MaskSet.FromBitmaps(4, 6, [MaskScenes.Paint(4, 6, (_, _) => true)]);
        Assert.Equal([0, 40 * 60], MaskResizing.Nearest(full, 40, 60, maxRuns: 2).AllRuns.ToArray());
    }
}
