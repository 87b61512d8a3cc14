using MaskBias.MLNet.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using SkiaSharp;
using Xunit;

namespace MaskBias.MLNet.Tests.Images;

public class IsoCropResizerTests
{
    private sealed class Row
    {
        public string Path { get; set; } = "";
    }

    [Theory]
    [InlineData(32, 32, 32)]
    [InlineData(33, 57, 32)]
    [InlineData(101, 40, 32)]
    [InlineData(640, 427, 224)]
    [InlineData(13, 9, 48)]
    [InlineData(1, 7, 16)]
    [InlineData(37, 111, 33)]
    public void Numbers_are_those_of_the_chain_of_ML_NET(int width, int height, int size)
    {
        using var folder = new TempFolder();
        string[] paths =
        [
            folder.Write("a.png", SampleImages.Noise(width, height, SKEncodedImageFormat.Png)),
            folder.Write("b.jpg", SampleImages.Noise(width, height, SKEncodedImageFormat.Jpeg)),
            folder.Write("c.png", SampleImages.Noise(width, height, SKEncodedImageFormat.Png, transparent: true)),
            folder.Write("d.webp", SampleImages.Noise(width, height, SKEncodedImageFormat.Webp)),
        ];
        var expected = Chain(paths, size);
        var actual = new float[3 * size * size];
        for (int i = 0; i < paths.Length; i++)
        {
            using var bitmap = ImageDecoder.DecodeBitmap(File.ReadAllBytes(paths[i]), paths[i], applyOrientation: false);
            IsoCropResizer.Resize(bitmap, size, actual);
            Assert.Equal(expected[i], actual);
        }
    }

    [Fact]
    public void Opaque_RGB_images_give_the_same_numbers_as_bitmaps()
    {
        byte[] png = SampleImages.Noise(50, 70, SKEncodedImageFormat.Png);
        float[] fromBitmap = new float[3 * 32 * 32], fromRgb = new float[3 * 32 * 32];
        using var bitmap = ImageDecoder.DecodeBitmap(png, "x", applyOrientation: false);
        var rgb = SampleImages.Decode(png);
        IsoCropResizer.Resize(bitmap, 32, fromBitmap);
        IsoCropResizer.Resize(rgb, 32, fromRgb);
        Assert.Equal(fromBitmap, fromRgb);

        var resized = IsoCropResizer.Resize(rgb, 32);
        for (int i = 0; i < 32 * 32; i++) Assert.Equal(fromRgb[i], resized.Pixels[3 * i]);
    }

    [Theory]
    [InlineData(64, 32, 32, 16, 0, 32, 32)]
    [InlineData(32, 64, 32, 0, 16, 32, 32)]
    [InlineData(300, 100, 50, 100, 0, 100, 100)]
    [InlineData(40, 40, 20, 0, 0, 40, 40)]
    public void Region_is_what_is_seen(int width, int height, int size, double x, double y, double w, double h)
    {
        var region = IsoCrop.Region(width, height, size);
        Assert.Equal((x, y, w, h), (region.X, region.Y, region.Width, region.Height));
        Assert.False(region.Flip);
    }

    [Fact]
    public void Region_stays_inside_odd_images()
    {
        for (int width = 1; width < 400; width += 13)
        {
            for (int height = 1; height < 400; height += 17)
            {
                var region = IsoCrop.Region(width, height, 224);
                Assert.True(region.X >= 0 && region.Y >= 0 && region.Width > 0 && region.Height > 0);
                Assert.True(region.X + region.Width <= width + 1e-9 && region.Y + region.Height <= height + 1e-9);
            }
        }
    }

    private static float[][] Chain(string[] paths, int size)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(paths.Select(p => new Row { Path = p }));
        var chain = ml.Transforms.LoadImages("Image", null, "Path")
            .Append(ml.Transforms.ResizeImages("Image", size, size, "Image", ImageResizingEstimator.ResizingKind.IsoCrop))
            .Append(ml.Transforms.ExtractPixels("Pixels", "Image"));
        return chain.Fit(data).Transform(data).GetColumn<float[]>("Pixels").ToArray();
    }
}
