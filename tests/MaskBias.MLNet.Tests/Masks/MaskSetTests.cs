using MaskBias.MLNet.Masks;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks;

public class MaskSetTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 9)]
    [InlineData(3, 17, 1)]
    [InlineData(4, 23, 31)]
    [InlineData(5, 64, 48)]
    public void Bitmaps_come_back_pixel_by_pixel(int seed, int height, int width)
    {
        var bitmaps = MaskScenes.RandomBitmaps(seed, height, width, 9);
        var masks = MaskSet.FromBitmaps(height, width, bitmaps);

        Assert.Equal(bitmaps.Length, masks.Count);
        for (int k = 0; k < bitmaps.Length; k++)
        {
            Assert.Equal(bitmaps[k], MaskScenes.Bitmap(masks, k));
            Assert.Equal(bitmaps[k].LongCount(covered => covered), masks.Area(k));
            for (int i = 0; i < height * width; i += 7) Assert.Equal(bitmaps[k][i], masks.Contains(k, i % width, i / width));
        }
    }

    [Fact]
    public void Runs_are_canonical_however_the_set_was_made()
    {
        var bitmaps = MaskScenes.RandomBitmaps(7, 13, 19, 12);
        var fromBitmaps = MaskSet.FromBitmaps(13, 19, bitmaps);
        var fromBytes = MaskSet.FromBitmaps(13, 19, bitmaps.SelectMany(b => b.Select(covered => covered ? (byte)255 : (byte)0)).ToArray());
        var padded = Enumerable.Range(0, 12).Select(k => fromBitmaps.Runs(k).ToArray()
            .SelectMany(run => new[] { 0, 0, run }).Append(0).ToArray());
        var fromRuns = MaskSet.FromRuns(13, 19, padded);

        Assert.Equal(fromBitmaps, fromBytes);
        Assert.Equal(fromBitmaps, fromRuns);
        Assert.Equal(fromBitmaps.GetHashCode(), fromRuns.GetHashCode());
        for (int k = 0; k < 12; k++)
        {
            var runs = fromBitmaps.Runs(k).ToArray();
            Assert.Equal(13 * 19, runs.Sum());
            Assert.DoesNotContain(0, runs.Skip(1));
        }
    }

    [Fact]
    public void A_label_map_gives_one_mask_per_positive_label_in_ascending_order()
    {
        int[] labels = [0, 5, 5, -1, 2, 5, 0, 2, 9, 9, 9, 9];
        var masks = MaskSet.FromLabelMap(3, 4, labels);

        Assert.Equal(3, masks.Count);
        int[] expected = [2, 5, 9];
        for (int k = 0; k < 3; k++) Assert.Equal(labels.Select(label => label == expected[k]), MaskScenes.Bitmap(masks, k));
    }

    [Fact]
    public void Sets_differ_when_size_order_or_a_pixel_does()
    {
        var bitmaps = MaskScenes.RandomBitmaps(3, 6, 8, 3);
        var masks = MaskSet.FromBitmaps(6, 8, bitmaps);
        var changed = bitmaps.Select(b => b.ToArray()).ToArray();
        changed[1][47] = !changed[1][47];

        Assert.NotEqual(masks, MaskSet.FromBitmaps(8, 6, bitmaps));
        Assert.NotEqual(masks, MaskSet.FromBitmaps(6, 8, bitmaps.Reverse()));
        Assert.NotEqual(masks, MaskSet.FromBitmaps(6, 8, changed));
        Assert.NotEqual(MaskSet.Empty(6, 8), MaskSet.Empty(8, 6));
        Assert.Equal(MaskSet.Empty(6, 8), MaskSet.FromBitmaps(6, 8, Array.Empty<bool[]>()));
    }

    [Fact]
    public void Faults_name_the_mask_and_what_is_allowed()
    {
        Assert.Contains("each side must lie in [1, 65535]", Assert.Throws<ArgumentException>(() => MaskSet.Empty(0, 4)).Message);
        Assert.Contains("at most 268435456 are allowed", Assert.Throws<ArgumentException>(() => MaskSet.Empty(65535, 65535)).Message);
        Assert.Contains("Mask 1 has 11 pixels",
            Assert.Throws<ArgumentException>(() => MaskSet.FromBitmaps(3, 4, [new bool[12], new bool[11]])).Message);
        Assert.Contains("not whole bitmaps of 4x3",
            Assert.Throws<ArgumentException>(() => MaskSet.FromBitmaps(3, 4, new byte[13])).Message);
        Assert.Contains("label map has 5 pixels", Assert.Throws<ArgumentException>(() => MaskSet.FromLabelMap(3, 4, new int[5])).Message);
        Assert.Contains("mask 1 sum to 11", Assert.Throws<ArgumentException>(() => MaskSet.FromRuns(3, 4, [[12], [1, 10]])).Message);
        Assert.Contains("mask 0 sum to 2147483652",
            Assert.Throws<ArgumentException>(() => MaskSet.FromRuns(3, 4, [[5, int.MaxValue]])).Message);
        Assert.Contains("Run 1 of mask 0 is -1", Assert.Throws<ArgumentException>(() => MaskSet.FromRuns(3, 4, [[12, -1]])).Message);
        Assert.Contains("more than 65535 labels", Assert.Throws<ArgumentException>(
            () => MaskSet.FromLabelMap(256, 257, Enumerable.Range(1, 256 * 257).ToArray())).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => MaskSet.Empty(3, 4).Runs(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => MaskSet.FromRuns(3, 4, [[12]]).Contains(0, 4, 0));
        Assert.Throws<ArgumentException>(() => MaskSet.FromRuns(3, 4, [[12]]).CopyTo(0, new byte[11]));
    }
}
