using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Masks;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Images.Augmentation;

public class AugmentationTests
{
    private static readonly ViewDraw Unchanged = new(default, 1, 1, 1, 0, false, 0, false);

    [Fact]
    public void The_whole_image_at_its_own_size_comes_back_unchanged()
    {
        using var scope = NewDisposeScope();
        var images = rand(2, 12, 12, 3) * 255;
        var views = CropResampler.Resample(images, [(12, 12), (12, 12)], [[new(0, 0, 12, 12)], [new(0, 0, 12, 12)]], 12);
        Assert.Equal([1, 2, 3, 12, 12], views.shape);
        Near.Equal(images.permute(0, 3, 1, 2), views[0], 1e-3, "views");
    }

    [Fact]
    public void A_flip_mirrors_left_to_right_and_padding_is_not_seen()
    {
        using var scope = NewDisposeScope();
        var image = rand(1, 9, 7, 3) * 255;
        var padded = nn.functional.pad(image, [0, 0, 0, 5, 0, 3]);                       // as in a batch with a larger image
        var (plain, region) = (CropResampler.Resample(image, [(9, 7)], [[new(1, 2, 5, 6)]], 10)[0], new CropRegion(1, 2, 5, 6, Flip: true));
        var flipped = CropResampler.Resample(padded, [(9, 7)], [[region]], 10)[0];
        Near.Equal(plain.flip(3), flipped, 1e-3, "flipped view");
    }

    [Fact]
    public void Several_views_of_several_images_are_those_that_are_cut_alone()
    {
        using var scope = NewDisposeScope();
        (int Height, int Width)[] sizes = [(9, 7), (12, 10)];
        CropRegion[][] regions = [[new(1, 2, 5, 6), new(0, 0, 7, 9, Flip: true)], [new(3, 1, 6, 8), new(2.5, 4, 3, 5)]];
        var images = zeros(2, 12, 10, 3);
        for (int i = 0; i < 2; i++) images[i, ..sizes[i].Height, ..sizes[i].Width] = rand(sizes[i].Height, sizes[i].Width, 3) * 255;
        var views = CropResampler.Resample(images, sizes, regions, 8);
        Assert.Equal([2, 2, 3, 8, 8], views.shape);
        for (int image = 0; image < 2; image++)
        {
            for (int view = 0; view < 2; view++)
            {
                var alone = CropResampler.Resample(images.narrow(0, image, 1), [sizes[image]], [[regions[image][view]]], 8);
                Near.Equal(alone[0, 0], views[view, image], 1e-3, $"view {view} of image {image}");
            }
        }
    }

    [Fact]
    public void Shrinking_averages_instead_of_skipping()
    {
        using var scope = NewDisposeScope();
        var stripes = zeros(1, 64, 64, 3);
        stripes[.., .., TensorIndex.Slice(0, null, 2)] = 255;                            // one-pixel stripes: mean 127.5
        var view = CropResampler.Resample(stripes, [(64, 64)], [[new(0, 0, 64, 64)]], 16)[0];
        Assert.True((view[.., .., .., 2..14] - 127.5).abs().max().ToSingle() < 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Masks_and_images_share_one_geometry(bool flip)
    {
        using var scope = NewDisposeScope();
        const int height = 40, width = 56, size = 32, grid = 4;
        var bitmap = new bool[height * width];
        for (int y = 9; y < 31; y++)
        {
            for (int x = 14; x < 41; x++) bitmap[y * width + x] = true;
        }
        var pixels = bitmap.SelectMany(b => Enumerable.Repeat(b ? 255f : 0, 3)).ToArray();
        var region = new CropRegion(6, 3, 44, 33, flip);
        var view = CropResampler.Resample(tensor(pixels, [1, height, width, 3]), [(height, width)], [[region]], size)[0][.., 0] / 255;
        var shares = nn.functional.avg_pool2d(view.unsqueeze(1), size / grid).view(-1);
        var tokens = new MaskTokenizer(new() { MinPatches = 0 }).Compute(MaskSet.FromBitmaps(height, width, [bitmap]), region, grid, grid, out int kept);
        Assert.Equal(1, kept);
        Near.Equal(shares, tensor(tokens), 0.05, "share of each patch");
    }

    [Fact]
    public void Draws_depend_on_the_seed_alone_and_stay_in_range()
    {
        var options = new MultiCropOptions();
        var sampler = new ViewSampler(options, 224);
        var first = sampler.Draw(100, 300, new Random(3));
        Assert.Equal(first, sampler.Draw(100, 300, new Random(3)));
        Assert.Equal(10, first.Length);
        for (int seed = 0; seed < 300; seed++)
        {
            var draws = sampler.Draw(90, 120, new Random(seed));
            for (int v = 0; v < draws.Length; v++)
            {
                var r = draws[v].Region;
                Assert.True(r is { X: >= 0, Y: >= 0, Width: >= 1, Height: >= 1 } && r.X + r.Width <= 120 && r.Y + r.Height <= 90, r.ToString());
                double share = r.Width * r.Height / (90 * 120);
                Assert.InRange(share, v < 2 ? 0.38 : 0.04, v < 2 ? 1 : 0.43);
                Assert.InRange(draws[v].Brightness, 0.6f, 1.4f);
                Assert.InRange(draws[v].Hue, -0.1f, 0.1f);
                Assert.InRange(draws[v].Blur, 0, 2);
                Assert.False(v is 0 or >= 2 && draws[v].Solarize);
                if (v == 0) Assert.True(draws[v].Blur > 0);
            }
        }
    }

    [Fact]
    public void Each_colour_change_does_what_it_says()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var views = rand(1, 3, 8, 8, generator: generator) * 0.5 + 0.2;
        Near.Equal(views, Apply(Unchanged), 1e-5, "unchanged");
        Near.Equal((views * 1.3).clamp(0, 1), Apply(Unchanged with { Brightness = 1.3f }), 1e-5, "brighter");
        var gray = views[.., 0] * 0.299 + views[.., 1] * 0.587 + views[.., 2] * 0.114;
        Near.Equal(gray.unsqueeze(1).expand(1, 3, 8, 8), Apply(Unchanged with { Grayscale = true }), 1e-5, "grey");
        Near.Equal(gray.unsqueeze(1).expand(1, 3, 8, 8), Apply(Unchanged with { Saturation = 0 }), 1e-5, "unsaturated");
        Near.Equal(where(views >= 128 / 255.0, 1 - views, views), Apply(Unchanged with { Solarize = true }), 1e-5, "solarized");
        Near.Equal(views[.., TensorIndex.Tensor(tensor(new long[] { 2, 0, 1 }))], Apply(Unchanged with { Hue = 1f / 3 }), 1e-5, "a third of the circle swaps channels");
        var blurred = Apply(Unchanged with { Blur = 1.5f });
        Assert.True(blurred.var().ToSingle() < 0.5 * views.var().ToSingle());
        Near.Equal(full([1, 3, 8, 8], 0.4), ColorAugmentation.Apply(full([1, 3, 8, 8], 0.4), [Unchanged with { Blur = 2 }], [0, 1, 2, 3]), 1e-5, "a blurred constant");

        Tensor Apply(ViewDraw draw) => ColorAugmentation.Apply(views.clone(), [draw], ColorAugmentation.DrawOrder(new Random(1)));
    }
}
