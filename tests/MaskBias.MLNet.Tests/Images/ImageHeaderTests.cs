using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Files;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Images;

public sealed class ImageHeaderTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData(20_000, 20_000, "is 20000x20000; an image may have at most 100000000 pixels.")]
    [InlineData(70_000, 10, "is 70000x10; a side of an image with masks may have at most 65535 pixels.")]
    [InlineData(10, 70_000, "is 10x70000; a side of an image with masks may have at most 65535 pixels.")]
    public void Sizes_that_masks_cannot_have_are_refused(int width, int height, string fault)
    {
        string path = folder.Write("a.png", Png(width, height));
        var error = Assert.Throws<ImageReadException>(() => ImageHeader.ReadSize("Row 3", path, applyOrientation: true));
        Assert.Equal($"Row 3: '{path}' {fault}", error.Message);
    }

    [Fact]
    public void The_longest_side_is_read() =>
        Assert.Equal((10, 65_535), ImageHeader.ReadSize("Row 3", folder.Write("a.png", Png(65_535, 10)), applyOrientation: true));

    [Fact]
    public void An_image_too_long_for_masks_has_a_missing_value()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable([new Row { ImagePath = folder.Write("photos/long.png", Png(70_000, 10)) }]);
        var options = new LoadMasksOptions { Path = folder.Path, OnMissingMasks = MissingMasks.NoMasks };
        var view = ml.SelfSupervised().LoadMasks(options).Fit(data).Transform(data);
        Assert.Empty(Assert.Single(view.GetColumn<byte[]>("Masks")));
    }

    public void Dispose() => folder.Dispose();

    // A header, and pixels that end early.
    private static byte[] Png(int width, int height) =>
        PngBytes.File(PngBytes.Header(width, height, colorType: 0, bits: 8, interlace: 0), PngBytes.Deflate(new byte[100]), false);

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
