using MaskBias.MLNet.Images;
using SkiaSharp;
using Xunit;

namespace MaskBias.MLNet.Tests.Images;

public class ImageDecoderTests
{
    [Fact]
    public void Png_gives_its_pixels_in_RGB_order()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(10, 20, 30));
        bitmap.SetPixel(1, 0, new SKColor(200, 100, 50, 128));
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        var image = ImageDecoder.Decode(png.ToArray(), "x");

        Assert.Equal((1, 2), (image.Height, image.Width));
        Assert.Equal([10, 20, 30], image.Pixels[..3]);
        Assert.Equal([100, 50, 25], image.Pixels[3..]);        // half transparent over black
    }

    [Fact]
    public void Grey_images_become_RGB()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(3, 2, SKColorType.Gray8, SKAlphaType.Opaque));
        PixelBuffers.Pixels(bitmap).Fill(77);
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.All(ImageDecoder.Decode(png.ToArray(), "x").Pixels, value => Assert.Equal(77, value));
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Truncated_files_are_errors_that_name_the_file(SKEncodedImageFormat format)
    {
        byte[] whole = SampleImages.Noise(60, 50, format);
        Assert.Equal(60, ImageDecoder.Decode(whole, "whole").Width);
        var error = Assert.Throws<ImageReadException>(() => ImageDecoder.Decode(whole.AsSpan(0, whole.Length / 2), "photos/a.img"));
        Assert.StartsWith("photos/a.img ", error.Message);
    }

    [Fact]
    public void Empty_and_foreign_bytes_are_errors()
    {
        Assert.Contains("a.png is empty (0 bytes)", Assert.Throws<ImageReadException>(() => ImageDecoder.Decode([], "a.png")).Message);
        Assert.Contains("formats are JPEG", Assert.Throws<ImageReadException>(() => ImageDecoder.Decode("hello, world"u8, "a.png")).Message);
    }

    [Theory]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0", "is a HEIC file, which cannot be read: convert it to one of JPEG, ")]
    [InlineData("\0\0\0\u0018ftypavif\0\0\0\0", "is an AVIF file")]
    [InlineData("II*\0\u0008\0\0\0", "is a TIFF or raw camera file")]
    [InlineData("\0\0\0\u0018ftypisom\0\0\0\0", "is not an image that can be read")]
    public void Formats_of_cameras_are_named(string start, string expected) =>
        Assert.Contains(expected, Assert.Throws<ImageReadException>(() => ImageDecoder.Decode(System.Text.Encoding.Latin1.GetBytes(start), "a")).Message);

    [Fact]
    public void Too_many_pixels_are_refused_before_decoding()
    {
        byte[] png = SampleImages.Noise(20, 10, SKEncodedImageFormat.Png);
        var error = Assert.Throws<ImageReadException>(() => ImageDecoder.Decode(png, "big.png", maxPixels: 199));
        Assert.Equal("big.png is 20x10; an image may have at most 199 pixels.", error.Message);

        // the header alone decides: this one claims 60000 x 60000
        byte[] bomb = (byte[])png.Clone();
        new byte[] { 0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60 }.CopyTo(bomb, 16);
        Assert.Throws<ImageReadException>(() => ImageDecoder.Decode(bomb, "bomb.png"));
    }

    // A 2 x 1 grid of red and green blocks as stored, and where red is seen after the EXIF orientation is applied.
    [Theory]
    [InlineData(1, 32, 16, 0.25, 0.5)]
    [InlineData(2, 32, 16, 0.75, 0.5)]
    [InlineData(3, 32, 16, 0.75, 0.5)]
    [InlineData(4, 32, 16, 0.25, 0.5)]
    [InlineData(5, 16, 32, 0.5, 0.25)]
    [InlineData(6, 16, 32, 0.5, 0.25)]
    [InlineData(7, 16, 32, 0.5, 0.75)]
    [InlineData(8, 16, 32, 0.5, 0.75)]
    public void Orientation_turns_the_image_upright(byte orientation, int width, int height, double redX, double redY)
    {
        byte[] jpeg = SampleImages.JpegWithOrientation(Quadrants(), orientation);
        var image = ImageDecoder.Decode(jpeg, "x");
        Assert.Equal((width, height), (image.Width, image.Height));
        Assert.True(IsRed(image, redX, redY));
        Assert.False(IsRed(image, 1 - redX, 1 - redY));

        var stored = ImageDecoder.Decode(jpeg, "x", applyOrientation: false);
        Assert.Equal((32, 16), (stored.Width, stored.Height));
    }

    // The upper rows are darker in the stored image; EXIF says which edge they are.
    [Theory]
    [InlineData(1, "top")]
    [InlineData(2, "top")]
    [InlineData(3, "bottom")]
    [InlineData(4, "bottom")]
    [InlineData(5, "left")]
    [InlineData(6, "right")]
    [InlineData(7, "right")]
    [InlineData(8, "left")]
    public void Orientation_puts_the_first_row_where_EXIF_says(byte orientation, string edge)
    {
        using var bitmap = new SKBitmap(16, 16);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            canvas.DrawRect(0, 0, 16, 8, new SKPaint { Color = SKColors.Black });
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 95);
        var image = ImageDecoder.Decode(SampleImages.JpegWithOrientation(data.ToArray(), orientation), "x");
        bool IsDark(int x, int y) => image.Pixels[3 * (y * 16 + x)] < 128;
        var dark = new Dictionary<string, bool> { ["top"] = IsDark(8, 1), ["bottom"] = IsDark(8, 14), ["left"] = IsDark(1, 8), ["right"] = IsDark(14, 8) };
        // at an edge's middle the halves meet on the other axis: only the named edge is dark and its opposite is not
        string opposite = edge switch { "top" => "bottom", "bottom" => "top", "left" => "right", _ => "left" };
        Assert.True(dark[edge]);
        Assert.False(dark[opposite]);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png, 1, 0)]
    [InlineData(SKEncodedImageFormat.Jpeg, 1, 3)]
    [InlineData(SKEncodedImageFormat.Jpeg, 6, 3)]
    [InlineData(SKEncodedImageFormat.Webp, 1, 2)]
    public void What_is_decoded_small_looks_as_what_is_made_small(SKEncodedImageFormat format, byte orientation, double apart)
    {
        byte[] photo = Photo(1600, 1203, format);
        if (orientation > 1) photo = SampleImages.JpegWithOrientation(photo, orientation);
        foreach (int side in new[] { 100, 320, 700, 1203, 5000 })
        {
            var whole = ImageDecoder.Decode(photo, "x");
            var expected = ImageReduction.ToShortSide(whole, side);
            var (image, height, width, _) = ImageDecoder.DecodeReduced(photo, "x", side);
            Assert.Equal((whole.Height, whole.Width), (height, width));
            Assert.Equal((expected.Height, expected.Width), (image.Height, image.Width));
            double difference = expected.Pixels.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Average();
            Assert.True(difference <= apart, $"{side}: {difference}");
        }
    }

    [Fact]
    public void A_panorama_is_decoded_no_longer_than_16_times_its_short_side()
    {
        var (image, _, width, _) = ImageDecoder.DecodeReduced(Photo(4000, 60, SKEncodedImageFormat.Jpeg), "x", 50);
        Assert.Equal((4000, 800, 12), (width, image.Width, image.Height));
    }

    private static byte[] Photo(int width, int height, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(width, height);
        using var canvas = new SKCanvas(bitmap);
        var random = new Random(1);
        canvas.Clear(SKColors.SkyBlue);
        for (int i = 0; i < 60; i++)
        {
            var color = new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));
            canvas.DrawCircle(random.Next(width), random.Next(height), random.Next(20, 200), new SKPaint { Color = color, IsAntialias = true });
        }
        using var data = bitmap.Encode(format, 90);
        return data.ToArray();
    }

    private static byte[] Quadrants()
    {
        using var bitmap = new SKBitmap(32, 16);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.Green);
        canvas.DrawRect(0, 0, 16, 16, new SKPaint { Color = SKColors.Red });
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 95);
        return data.ToArray();
    }

    private static bool IsRed(RgbImage image, double x, double y) =>
        image.Pixels.AsSpan(3 * ((int)(y * image.Height) * image.Width + (int)(x * image.Width)), 3) is [> 180, < 80, < 80];
}
