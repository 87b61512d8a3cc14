using System.Text.Json;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Tests.Masks.Files;

public class CocoRleTests
{
    // Outputs of COCO's own code; see the file's "about".
    private static readonly JsonElement Reference = JsonDocument.Parse(File.ReadAllBytes(Fixtures.OwnPath("coco_rle/cases.json"))).RootElement;

    [Fact, Trait("Category", "Parity")]
    public void Polygons_are_rasterised_and_united_as_COCO_does()
    {
        foreach (var item in Reference.GetProperty("polygons").EnumerateArray())
        {
            var (height, width) = Size(item);
            double[][] polygons = [.. item.GetProperty("polygons").EnumerateArray().Select(p => p.EnumerateArray().Select(v => v.GetDouble()).ToArray())];
            var mask = CocoRle.FromPolygons(height, width, polygons);
            Assert.Equal(item.GetProperty("counts").GetString(), mask.ToString());
            Assert.Equal(item.GetProperty("area").GetInt64(), mask.Area);
            int[] box = [.. item.GetProperty("bbox").EnumerateArray().Select(v => v.GetInt32())];
            if (mask.Area > 0) Assert.Equal(new MaskBounds(box[0], box[1], box[2], box[3]), mask.BoundingBox());
        }
    }

    [Fact, Trait("Category", "Parity")]
    public void Bitmaps_are_encoded_as_COCO_does()
    {
        foreach (var item in Reference.GetProperty("bitmaps").EnumerateArray())
        {
            var (height, width) = Size(item);
            string columns = item.GetProperty("columns").GetString()!;
            var masks = MaskSet.FromBitmaps(height, width, [MaskScenes.Paint(height, width, (x, y) => columns[x * height + y] == '1')]);
            string counts = item.GetProperty("counts").GetString()!;
            Assert.Equal(counts, CocoRle.From(masks, 0).ToString());
            Assert.Equal(masks, CocoRle.Parse(height, width, counts).ToMaskSet());
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 40)]
    [InlineData(40, 1)]
    [InlineData(37, 53)]
    [InlineData(224, 100)]
    public void Any_mask_comes_back_through_columns_and_text(int height, int width)
    {
        bool[][] bitmaps = MaskScenes.RandomBitmaps(height, height, width, 24);
        var masks = MaskSet.FromBitmaps(height, width, bitmaps);
        CocoRle[] encoded = [.. CocoRle.From(masks).Select(rle => CocoRle.Parse(height, width, rle.ToString()))];

        Assert.Equal(CocoRle.From(masks), encoded);
        Assert.Equal(masks, CocoRle.ToMaskSet(height, width, encoded));
        for (int k = 0; k < masks.Count; k++)
        {
            Assert.Equal(Columns(bitmaps[k], height, width), encoded[k].Counts.ToArray());
            Assert.Equal(masks.Area(k), encoded[k].Area);
            Assert.Equal(Box(bitmaps[k], width), encoded[k].BoundingBox());
        }
    }

    [Fact]
    public void Counts_that_are_not_canonical_are_kept_and_mean_the_same()
    {
        int[] counts = [0, 3, 0, 2, 4, 0, 3];
        var mask = CocoRle.FromCounts(4, 3, counts);
        Assert.Equal(counts, CocoRle.Parse(4, 3, mask.ToString()).Counts.ToArray());
        Assert.Equal(CocoRle.FromCounts(4, 3, [0, 5, 7]).ToMaskSet(), mask.ToMaskSet());
        Assert.Equal(5, mask.Area);
    }

    [Theory]
    [InlineData(4, 4, "?", "sum to 15 pixels; the image has 16")]
    [InlineData(4, 4, "a0", "reach 17 pixels at count 0; the image has 16")]
    [InlineData(4, 4, "", "sum to 0 pixels")]
    [InlineData(4, 4, "P", "end within a count")]
    [InlineData(4, 4, "O", "Count 0 is -1")]
    [InlineData(4, 4, "8 8", "Character 1 of the run lengths is U+0020")]
    [InlineData(4, 4, "8\u00e98", "Character 1 of the run lengths is U+00E9")]
    [InlineData(4, 4, "ooooooooo0", "it overflows")]
    [InlineData(4, 4, "4440O", "reach 19 pixels at count 4")]
    [InlineData(4, 4, "444J", "Count 3 is -2")]
    [InlineData(0, 4, "0", "each side must lie in [1, 65535]")]
    [InlineData(40000, 40000, "0", "1600000000 pixels; at most 268435456")]
    public void Malformed_run_lengths_are_refused(int height, int width, string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => CocoRle.Parse(height, width, text)).Message);

    [Fact]
    public void Impossible_counts_and_polygons_are_refused()
    {
        Assert.Contains("Count 1 is -3", Assert.Throws<FormatException>(() => CocoRle.FromCounts(2, 2, [7, -3])).Message);
        Assert.Contains("sum to 4294967294 pixels", Assert.Throws<FormatException>(() => CocoRle.FromCounts(2, 2, [int.MaxValue, int.MaxValue])).Message);
        Assert.Contains("4 numbers", Assert.Throws<FormatException>(() => CocoRle.FromPolygons(9, 9, [[1, 2, 3, 4]])).Message);
        Assert.Contains("NaN", Assert.Throws<FormatException>(() => CocoRle.FromPolygons(9, 9, [[1, 2, 3, 4, 5, double.NaN]])).Message);
        Assert.Contains("1E+300", Assert.Throws<FormatException>(() => CocoRle.FromPolygons(9, 9, [[1, 2, 3, 4, 5, 1e300]])).Message);
        double[] zigzag = [.. Enumerable.Range(0, 20_000).SelectMany(i => new double[] { i % 2 * 65000, i % 3 * 4000 })];
        Assert.Contains("outlines", Assert.Throws<FormatException>(() => CocoRle.FromPolygons(4000, 65000, [zigzag])).Message);
    }

    [Fact]
    public void A_short_text_cannot_make_huge_masks()
    {
        // Every second column: two runs per pixel pair in rows, 2^28 from a few kilobytes.
        var stripes = CocoRle.FromCounts(65535, 4096, [.. Enumerable.Repeat(65535, 4096)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("more than", Assert.Throws<InvalidDataException>(stripes.ToMaskSet).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    private static (int Height, int Width) Size(JsonElement item) => (item.GetProperty("size")[0].GetInt32(), item.GetProperty("size")[1].GetInt32());

    private static int[] Columns(bool[] bitmap, int height, int width)
    {
        var counts = new List<int> { 0 };
        for (int i = 0; i < bitmap.Length; i++)
        {
            if (bitmap[i % height * width + i / height] != (counts.Count % 2 == 0)) counts.Add(0);
            counts[^1]++;
        }
        return [.. counts];
    }

    private static MaskBounds Box(bool[] bitmap, int width)
    {
        int[] covered = [.. Enumerable.Range(0, bitmap.Length).Where(i => bitmap[i])];
        if (covered.Length == 0) return default;
        int left = covered.Min(i => i % width), top = covered[0] / width;
        return new(left, top, covered.Max(i => i % width) - left + 1, covered[^1] / width - top + 1);
    }
}
