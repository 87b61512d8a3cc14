using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks;

public class MaskTokenizerTests
{
    private static readonly MaskTokenOptions KeepAll = new() { MaxMasks = 4096, MaxCoverage = 1, MinPatches = 0 };

    public static TheoryData<double, double, double, double, bool, int, int> Crops => new()
    {
        { 0, 0, 32, 24, false, 4, 4 },              // the image
        { 0, 0, 32, 24, true, 3, 8 },
        { 3.25, 1.7, 20.3, 15.9, false, 4, 6 },     // fractions
        { 3.25, 1.7, 20.3, 15.9, true, 4, 6 },
        { 10.4, 9.1, 2.3, 1.9, true, 5, 7 },        // patches smaller than a pixel
        { -6.5, -4.2, 50.1, 40.3, true, 5, 3 },     // beyond the image on all sides
        { 25.5, 18.5, 20, 20, false, 4, 4 },        // partly outside
        { 40, 40, 10, 10, false, 2, 2 },            // outside
        { -30, 3, 12, 12, true, 2, 2 },
        { 5, 5, 1, 1, false, 1, 1 },
    };

    [Theory]
    [MemberData(nameof(Crops))]
    public void Shares_are_exact_areas(double x, double y, double width, double height, bool flip, int rows, int columns)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var masks = MaskSet.FromBitmaps(24, 32, MaskScenes.RandomBitmaps(seed, 24, 32, 7));
            var crop = new CropRegion(x, y, width, height, flip);
            var expected = Enumerable.Range(0, masks.Count).Select(k => Reference(masks, k, crop, rows, columns)).ToList();
            var order = Enumerable.Range(0, masks.Count).Where(k => expected[k].Sum() > 0)
                .OrderByDescending(k => Math.Round(expected[k].Sum(), 8)).ToList();

            float[] tokens = new MaskTokenizer(KeepAll).Compute(masks, crop, rows, columns, out int kept);

            Assert.Equal(order.Count, kept);
            Assert.Equal(kept * rows * columns, tokens.Length);
            Assert.All(tokens, share => Assert.InRange(share, 0f, 1f));
            for (int i = 0; i < kept; i++)
            {
                for (int p = 0; p < rows * columns; p++) Assert.Equal(expected[order[i]][p], tokens[i * rows * columns + p], 1e-6);
            }
        }
    }

    [Fact]
    public void A_flip_mirrors_left_and_right_alone()
    {
        var masks = MaskScenes.Ellipses(3, 40, 60, 6);
        var tokenizer = new MaskTokenizer(KeepAll);
        float[] straight = tokenizer.Compute(masks, new(4.5, 3.5, 50, 30), 3, 5, out int kept);
        float[] mirrored = tokenizer.Compute(masks, new(4.5, 3.5, 50, 30, Flip: true), 3, 5, out int alsoKept);

        Assert.Equal(kept, alsoKept);
        for (int i = 0; i < kept * 15; i++) Assert.Equal(straight[i], mirrored[i / 5 * 5 + 4 - i % 5], 1e-6f);
    }

    [Fact]
    public void Masks_that_say_nothing_are_dropped()
    {
        // In a crop of 40x40 pixels with patches of 10x10.
        var masks = MaskSet.FromBitmaps(40, 80,
        [
            MaskScenes.Rectangle(40, 80, 0, 0, 40, 37),       // 92.5% of the crop: too much
            MaskScenes.Rectangle(40, 80, 0, 0, 40, 36),       // exactly 90%
            MaskScenes.Rectangle(40, 80, 5, 5, 15, 14),       // 0.9 patches: too little
            MaskScenes.Rectangle(40, 80, 5, 5, 15, 15),       // exactly one
            MaskScenes.Rectangle(40, 80, 38, 0, 80, 20),      // large, but 0.4 patches of it in the crop
            MaskScenes.Rectangle(40, 80, 50, 0, 80, 40),      // outside the crop
            MaskScenes.Rectangle(40, 80, 20, 20, 40, 40),
        ]);
        float[] tokens = new MaskTokenizer().Compute(masks, new(0, 0, 40, 40), 4, 4, out int kept);

        Assert.Equal(3, kept);
        Assert.Equal([14.4, 4, 1], tokens.Chunk(16).Select(mask => Math.Round(mask.Sum(), 4)));
    }

    [Fact]
    public void The_largest_masks_within_the_crop_are_kept_and_ties_keep_their_order()
    {
        var masks = MaskSet.FromBitmaps(16, 64,
        [
            MaskScenes.Rectangle(16, 64, 0, 0, 4, 4),
            MaskScenes.Rectangle(16, 64, 4, 0, 8, 4),
            MaskScenes.Rectangle(16, 64, 12, 8, 64, 16),      // the largest, of which the crop holds 32 pixels
            MaskScenes.Rectangle(16, 64, 0, 8, 8, 16),        // 64 pixels
            MaskScenes.Rectangle(16, 64, 8, 0, 12, 4),
        ]);
        var crop = new CropRegion(0, 0, 16, 16);
        float[] four = new MaskTokenizer(new() { MaxMasks = 4 }).Compute(masks, crop, 4, 4, out int kept);

        Assert.Equal(4, kept);
        int[] first = four.Chunk(16).Select(mask => Array.FindIndex(mask, share => share > 0)).ToArray();
        Assert.Equal([8, 11, 0, 1], first);
        Assert.Equal(four[..32], new MaskTokenizer(new() { MaxMasks = 2 }).Compute(masks, crop, 4, 4, out _));
    }

    [Fact]
    public void A_single_mask_adds_what_it_leaves_of_the_image()
    {
        var masks = MaskSet.FromBitmaps(20, 20, [MaskScenes.Rectangle(20, 20, 3, 2, 12, 15)]);
        var options = new MaskTokenOptions { AddComplement = true, MinPatches = 0 };
        float[] tokens = new MaskTokenizer(options).Compute(masks, new(0.5, 0.5, 19, 19, true), 4, 4, out int kept);
        Assert.Equal(2, kept);
        for (int p = 0; p < 16; p++) Assert.Equal(1 - tokens[p], tokens[16 + p], 1e-6f);

        float[] beyond = new MaskTokenizer(options).Compute(masks, new(-20, 0, 40, 20), 1, 2, out _);
        Assert.Equal([0, 117f / 400, 0, 283f / 400], beyond, (a, b) => Math.Abs(a - b) < 1e-6);

        options.MaxMasks = 1;
        new MaskTokenizer(options).Compute(masks, new(0, 0, 20, 20), 4, 4, out kept);
        Assert.Equal(1, kept);
        options.MaxMasks = 64;
        new MaskTokenizer(options).Compute(MaskScenes.Ellipses(1, 20, 20, 0), new(0, 0, 20, 20), 4, 4, out kept);
        Assert.Equal(0, kept);
    }

    [Fact]
    public void A_given_span_receives_the_same_and_must_be_long_enough()
    {
        var masks = MaskScenes.Ellipses(9, 50, 50, 20);
        var tokenizer = new MaskTokenizer();
        float[] expected = tokenizer.Compute(masks, new(3, 4, 40, 41), 5, 5, out int kept);
        float[] buffer = Enumerable.Repeat(-1f, 64 * 25).ToArray();

        Assert.Equal(kept, tokenizer.Compute(masks, new(3, 4, 40, 41), 5, 5, buffer));
        Assert.Equal(expected, buffer[..expected.Length]);
        Assert.All(buffer[expected.Length..], value => Assert.Equal(-1f, value));
        Assert.Contains("do not hold", Assert.Throws<ArgumentException>(
            () => tokenizer.Compute(masks, new(3, 4, 40, 41), 5, 5, new float[expected.Length - 1])).Message);
    }

    [Theory]
    [InlineData(0, 0, 0, 10, 2, 2)]
    [InlineData(0, 0, 10, -1, 2, 2)]
    [InlineData(double.NaN, 0, 10, 10, 2, 2)]
    [InlineData(0, 0, double.PositiveInfinity, 10, 2, 2)]
    [InlineData(0, 0, 10, 10, 0, 2)]
    [InlineData(0, 0, 10, 10, 2, 5000)]
    public void Impossible_crops_are_refused(double x, double y, double width, double height, int rows, int columns) =>
        Assert.Throws<ArgumentException>(
            () => new MaskTokenizer().Compute(MaskSet.Empty(10, 10), new(x, y, width, height), rows, columns, out _));

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        string message = Assert.Throws<ArgumentException>(
            () => new MaskTokenizer(new() { MaxMasks = 0, MaxCoverage = 0, MinPatches = double.NaN })).Message;
        Assert.Contains("MaxMasks is 0; it must lie in [1, 4096].", message);
        Assert.Contains("MaxCoverage is 0; it must lie in (0, 1].", message);
        Assert.Contains("MinPatches is NaN", message);
    }

    [Fact]
    public void Many_masks_and_crops_are_quick()
    {
        var masks = MaskScenes.Ellipses(2, 224, 224, 64);
        var tokenizer = new MaskTokenizer();
        float[] buffer = new float[64 * 196];
        tokenizer.Compute(masks, new(10, 10, 200, 200), 14, 14, buffer);
        Pace.AssertWithin(TimeSpan.FromMilliseconds(1500), () =>        // a tenth of that on a quiet core
        {
            for (int i = 0; i < 64; i++) tokenizer.Compute(masks, new(i / 3.0, i / 4.0, 180, 190, i % 2 == 0), 14, 14, buffer);
        });
    }

    // Every pixel against every patch.
    private static double[] Reference(MaskSet masks, int k, CropRegion crop, int rows, int columns)
    {
        bool[] bitmap = MaskScenes.Bitmap(masks, k);
        double patchWidth = crop.Width / columns, patchHeight = crop.Height / rows;
        double[] shares = new double[rows * columns];
        for (int p = 0; p < shares.Length; p++)
        {
            int column = crop.Flip ? columns - 1 - p % columns : p % columns;
            double left = crop.X + column * patchWidth, top = crop.Y + p / columns * patchHeight;
            for (int i = 0; i < bitmap.Length; i++)
            {
                if (!bitmap[i]) continue;
                double across = Math.Min(left + patchWidth, i % masks.Width + 1) - Math.Max(left, i % masks.Width);
                double down = Math.Min(top + patchHeight, i / masks.Width + 1) - Math.Max(top, i / masks.Width);
                if (across > 0 && down > 0) shares[p] += across * down / (patchWidth * patchHeight);
            }
        }
        return shares;
    }
}
