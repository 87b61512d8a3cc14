using MaskBias.MLNet.Masks;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks;

public class GraphSegmenterTests
{
    [Theory]
    [InlineData(1, 96, 96, 20)]
    [InlineData(2, 128, 96, 40)]
    [InlineData(3, 300, 420, 30)]      // above MaxSide
    public void A_coloured_square_on_noise_is_one_of_the_masks(int seed, int height, int width, int noise)
    {
        int left = width / 4, top = height / 3, side = height / 3;
        byte[] rgb = NoisyScene(seed, height, width, noise, (x, y) => x >= left && x < left + side && y >= top && y < top + side);
        var square = MaskScenes.Rectangle(height, width, left, top, left + side, top + side);

        var masks = new GraphSegmenter().Segment(rgb, height, width);
        Assert.Equal((height, width), (masks.Height, masks.Width));
        Assert.True(BestOverlap(masks, square) > 0.9, $"best IoU {BestOverlap(masks, square)}");
    }

    [Fact]
    public void An_object_of_two_colours_is_whole_at_one_scale_and_divided_at_another()
    {
        byte[] rgb = NoisyScene(5, 96, 96, 12, (x, y) => x >= 30 && x < 66 && y >= 24 && y < 72);
        for (int y = 24; y < 48; y++)
        {
            for (int x = 30; x < 66; x++) rgb[3 * (y * 96 + x) + 2] = 190;
        }
        var masks = new GraphSegmenter().Segment(rgb, 96, 96);
        Assert.True(BestOverlap(masks, MaskScenes.Rectangle(96, 96, 30, 24, 66, 72)) > 0.9);
        Assert.True(BestOverlap(masks, MaskScenes.Rectangle(96, 96, 30, 24, 66, 48)) > 0.9);
    }

    [Theory]
    [InlineData(1, 96, 96)]
    [InlineData(2, 61, 140)]
    [InlineData(3, 150, 110, 64)]      // enlarged
    public void Masks_nest_and_none_is_twice_there(int seed, int height, int width, int maxSide = 256)
    {
        var masks = new GraphSegmenter(new() { MaxSide = maxSide }).Segment(Clutter(seed, height, width), height, width);
        Assert.InRange(masks.Count, 10, 64);
        var bitmaps = Enumerable.Range(0, masks.Count).Select(k => MaskScenes.Bitmap(masks, k)).ToList();
        for (int a = 0; a < bitmaps.Count; a++)
        {
            if (a > 0 && maxSide == 256) Assert.True(masks.Area(a) <= masks.Area(a - 1), "largest first");
            for (int b = 0; b < a; b++)
            {
                int shared = bitmaps[a].Zip(bitmaps[b]).Count(pixel => pixel.First && pixel.Second);
                Assert.True(shared == 0 || shared == masks.Area(a) || shared == masks.Area(b), $"masks {a} and {b} overlap in part");
                Assert.False(shared == masks.Area(a) && shared == masks.Area(b), $"masks {a} and {b} are the same");
            }
        }
    }

    [Fact]
    public void The_same_image_gives_the_same_masks_from_any_thread()
    {
        var segmenter = new GraphSegmenter();
        byte[] rgb = Clutter(4, 96, 128);
        var first = segmenter.Segment(rgb, 96, 128);
        Parallel.For(0, 8, i =>
        {
            segmenter.Segment(Clutter(i, 50 + i, 60), 50 + i, 60);
            Assert.Equal(first, segmenter.Segment(rgb, 96, 128));
        });
        Assert.Equal(first, new GraphSegmenter().Segment(rgb, 96, 128));
    }

    [Fact]
    public void Scales_say_how_many_regions_there_are()
    {
        byte[] rgb = Clutter(6, 96, 96);
        for (int regions = 2; regions < 12; regions++)
        {
            var options = new GraphSegmenterOptions { Scales = [regions], MinRegionShare = 0.0001, MaxRegionShare = 1 };
            var masks = new GraphSegmenter(options).Segment(rgb, 96, 96);
            Assert.Equal(regions, masks.Count);
            Assert.Equal(96 * 96, Enumerable.Range(0, masks.Count).Sum(masks.Area));      // they cover the image
        }
    }

    [Fact]
    public void Limits_hold()
    {
        byte[] rgb = Clutter(7, 96, 96);
        var masks = new GraphSegmenter(new() { MinRegionShare = 0.05, MaxRegionShare = 0.5 }).Segment(rgb, 96, 96);
        Assert.True(masks.Count > 0);
        Assert.All(Enumerable.Range(0, masks.Count), k => Assert.InRange(masks.Area(k), 0.05 * 96 * 96, 0.5 * 96 * 96));

        var all = new GraphSegmenter().Segment(rgb, 96, 96);
        var five = new GraphSegmenter(new() { MaxMasks = 5 }).Segment(rgb, 96, 96);
        Assert.Equal(5, five.Count);
        for (int k = 0; k < 5; k++) Assert.Equal(all.Runs(k), five.Runs(k));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 400)]
    [InlineData(3, 2)]
    [InlineData(40, 40)]
    public void An_image_of_one_colour_has_no_masks(int height, int width) =>
        Assert.Equal(0, new GraphSegmenter().Segment(Enumerable.Repeat((byte)90, 3 * height * width).ToArray(), height, width).Count);

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Contains("11 bytes do not make 2x2 pixels",
            Assert.Throws<ArgumentException>(() => new GraphSegmenter().Segment(new byte[11], 2, 2)).Message);
        Assert.Contains("size is 0x3", Assert.Throws<ArgumentException>(() => new GraphSegmenter().Segment([], 3, 0)).Message);
        string message = Assert.Throws<ArgumentException>(
            () => new GraphSegmenter(new() { Scales = [8, 1], Smoothing = -1, MinRegionShare = 0, MaxSide = 8 })).Message;
        Assert.Contains("Scales holds 1; each number of regions must lie in [2, 4096].", message);
        Assert.Contains("Smoothing is -1; it must lie in [0, 10].", message);
        Assert.Contains("MinRegionShare is 0", message);
        Assert.Contains("MaxSide is 8", message);
        Assert.Contains("Scales has 0 entries", Assert.Throws<ArgumentException>(() => new GraphSegmenter(new() { Scales = [] })).Message);
    }

    [Fact]
    public void Small_images_are_quick()
    {
        var segmenter = new GraphSegmenter();
        byte[][] images = Enumerable.Range(0, 20).Select(i => Clutter(i, 96, 96)).ToArray();
        segmenter.Segment(images[0], 96, 96);
        Pace.AssertWithin(TimeSpan.FromSeconds(2), () =>
        {
            foreach (byte[] rgb in images) segmenter.Segment(rgb, 96, 96);
        });
    }

    private static double BestOverlap(MaskSet masks, bool[] target) => Enumerable.Range(0, masks.Count).Max(k =>
    {
        bool[] mask = MaskScenes.Bitmap(masks, k);
        double both = mask.Zip(target).Count(pixel => pixel.First && pixel.Second);
        return both / (mask.Count(covered => covered) + target.Count(covered => covered) - both);
    });

    // An orange object on green noise.
    private static byte[] NoisyScene(int seed, int height, int width, int noise, Func<int, int, bool> isObject)
    {
        var random = new Random(seed);
        byte[] rgb = new byte[3 * height * width];
        for (int i = 0; i < height * width; i++)
        {
            int[] color = isObject(i % width, i / width) ? [210, 120, 60] : [90, 130, 100];
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = (byte)Math.Clamp(color[c] + random.Next(-noise, noise + 1), 0, 255);
        }
        return rgb;
    }

    // Ellipses and rectangles of many colours over each other, with noise.
    private static byte[] Clutter(int seed, int height, int width)
    {
        var random = new Random(seed);
        byte[] rgb = new byte[3 * height * width];
        foreach (bool[] shape in MaskScenes.RandomBitmaps(seed, height, width, 60).Where((_, k) => k % 2 == 0))
        {
            int[] color = [random.Next(256), random.Next(256), random.Next(256)];
            for (int i = 0; i < shape.Length; i++)
            {
                for (int c = 0; c < 3 && shape[i]; c++) rgb[3 * i + c] = (byte)Math.Clamp(color[c] + random.Next(-10, 11), 0, 255);
            }
        }
        return rgb;
    }
}
