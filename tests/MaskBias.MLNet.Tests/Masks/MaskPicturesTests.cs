using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using SkiaSharp;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks;

public class MaskPicturesTests
{
    private static readonly RgbImage Grey = new(20, 30, Enumerable.Repeat((byte)128, 20 * 30 * 3).ToArray());

    [Fact]
    public void An_overlay_tints_and_outlines_masks_and_leaves_the_rest()
    {
        // The small mask comes first, yet lies on top of the large one around it.
        var masks = MaskSet.FromBitmaps(20, 30, [MaskScenes.Rectangle(20, 30, 8, 6, 14, 12), MaskScenes.Rectangle(20, 30, 2, 2, 20, 18)]);
        using var picture = SKBitmap.Decode(MaskPictures.OverlayPng(Grey, masks, scale: 4));

        Assert.Equal((120, 80), (picture.Width, picture.Height));
        SKColor untouched = new(128, 128, 128), inside = picture.GetPixel(42, 34), around = picture.GetPixel(70, 60);
        Assert.Equal(untouched, picture.GetPixel(110, 40));
        Assert.NotEqual(untouched, inside);
        Assert.NotEqual(untouched, around);
        Assert.NotEqual(inside, around);
        Assert.NotEqual(inside, picture.GetPixel(32, 34));           // its left outline
        Assert.NotEqual(around, picture.GetPixel(79, 60));           // the large mask's right outline
        Assert.Equal(around, picture.GetPixel(78, 60));
        Assert.Equal(untouched, picture.GetPixel(80, 60));
    }

    [Fact]
    public void Without_masks_the_overlay_is_the_image()
    {
        using var picture = SKBitmap.Decode(MaskPictures.OverlayPng(Grey, MaskSet.Empty(20, 30), scale: 1));
        Assert.All(picture.Pixels, pixel => Assert.Equal(new SKColor(128, 128, 128), pixel));
    }

    [Fact]
    public void A_heat_map_goes_from_dark_blue_to_yellow_patch_by_patch()
    {
        using var picture = SKBitmap.Decode(MaskPictures.HeatMapPng(Grey, [-3, 0, 0, 0, 0, 5], rows: 2, columns: 3, scale: 2));
        Assert.Equal((60, 40), (picture.Width, picture.Height));
        SKColor low = picture.GetPixel(0, 0), middle = picture.GetPixel(20, 0), high = picture.GetPixel(59, 39);
        Assert.Equal(low, picture.GetPixel(19, 19));
        Assert.NotEqual(low, middle);
        Assert.Equal(middle, picture.GetPixel(39, 39));
        Assert.Equal(high, picture.GetPixel(40, 20));
        Assert.True(low.Blue > low.Green && low.Red < high.Red, "the lowest value is dark blue");
        Assert.True(high.Red > 150 && high.Green > 150 && high.Blue < 100, "the highest value is yellow");
    }

    [Fact]
    public void A_constant_map_is_one_colour()
    {
        using var picture = SKBitmap.Decode(MaskPictures.HeatMapPng(Grey, [7, 7, 7, 7], 2, 2, 1));
        Assert.Single(picture.Pixels.Distinct());
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Contains("masks are of 20x30; the image is of 30x20",
            Assert.Throws<ArgumentException>(() => MaskPictures.OverlayPng(Grey, MaskSet.Empty(30, 20))).Message);
        Assert.Contains("scale is 0",
            Assert.Throws<ArgumentException>(() => MaskPictures.OverlayPng(Grey, MaskSet.Empty(20, 30), 0)).Message);
        Assert.Contains("side above 16384", Assert.Throws<ArgumentException>(
            () => MaskPictures.OverlayPng(new(1, 1000, new byte[3000]), MaskSet.Empty(1, 1000), 20)).Message);
        Assert.Contains("5 values do not make 2x3 patches",
            Assert.Throws<ArgumentException>(() => MaskPictures.HeatMapPng(Grey, new float[5], 2, 3)).Message);
        Assert.Contains("Value 1 is NaN",
            Assert.Throws<ArgumentException>(() => MaskPictures.HeatMapPng(Grey, [0, float.NaN], 1, 2)).Message);
    }

    [Fact]
    public void A_patchs_relation_is_a_map_with_the_patch_framed()
    {
        var masks = MaskSet.FromBitmaps(20, 30, [MaskScenes.Rectangle(20, 30, 0, 0, 20, 20), MaskScenes.Rectangle(20, 30, 20, 0, 30, 20)]);
        using var picture = SKBitmap.Decode(MaskPictures.RelationPng(Grey, masks, 2, 3, patch: 1, scale: 8));
        SKColor same = picture.GetPixel(40, 40), other = picture.GetPixel(200, 40);
        Assert.True(same.Red > 150 && same.Green > 150 && same.Blue < 100, "the same mask is yellow");
        Assert.True(other.Blue > other.Green, "another mask is dark blue");
        Assert.Equal(SKColors.Black, picture.GetPixel(80, 0));
        Assert.Equal(SKColors.Black, picture.GetPixel(159, 79));
        Assert.NotEqual(SKColors.Black, picture.GetPixel(160, 40));
        Assert.Equal(picture.GetPixel(120, 40), same);

        using var both = SKBitmap.Decode(MaskPictures.RelationPng(Grey, masks, 2, 3, 1, MaskRelation.Both, scale: 8));
        Assert.True(both.GetPixel(40, 40).Red > both.GetPixel(40, 40).Blue && both.GetPixel(200, 40).Blue > both.GetPixel(200, 40).Red);
        Assert.Contains("no patch 6", Assert.Throws<ArgumentException>(() => MaskPictures.RelationPng(Grey, masks, 2, 3, 6)).Message);
        _ = MaskPictures.RelationPng(Grey, MaskSet.Empty(20, 30), 2, 3, 0);
    }

    [Fact]
    public void The_biass_weights_are_a_table_of_colours_and_numbers()
    {
        (float[]?, float[]?)[] weights = [([0.5f, -0.5f, 0], [0.1f, 0.2f, -0.05f]), ([0.25f, 0, 0], null)];
        using var picture = SKBitmap.Decode(MaskPictures.BiasPng(weights));
        SKColor Cell(int layer, int head) => picture.GetPixel(24 + 56 + 88 * head + 3, 62 + 34 * layer + 3);
        Assert.True(Cell(0, 0).Red > 150 && Cell(0, 0).Blue < 60, "the largest is red");
        Assert.True(Cell(0, 1).Blue > 150 && Cell(0, 1).Red < 60, "its negative is blue");
        Assert.Equal(new SKColor(0xF7, 0xF7, 0xF7), Cell(0, 2));
        Assert.NotEqual(Cell(0, 0), Cell(1, 0));
        using var zero = SKBitmap.Decode(MaskPictures.BiasPng([([0f], null)]));
        Assert.Equal(new SKColor(0xF7, 0xF7, 0xF7), zero.GetPixel(84, 66));

        Assert.Contains("takes no masks", Assert.Throws<ArgumentException>(() => MaskPictures.BiasPng([(null, null)])).Message);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => MaskPictures.BiasPng([([float.NaN], null)])).Message);
    }
}
