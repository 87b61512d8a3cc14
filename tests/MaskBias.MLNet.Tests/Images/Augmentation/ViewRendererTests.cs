using MaskBias.MLNet.Images;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Images.Augmentation;

/// <summary>The processor's views are those that a device makes by tensor operations.</summary>
public class ViewRendererTests
{
    private static readonly ViewDraw Plain = new(new(5, 3, 61, 47), 1, 1, 1, 0, false, 0, false);

    public static TheoryData<string> Changes => [.. Draws.Keys];

    private static readonly Dictionary<string, Func<ViewDraw, ViewDraw>> Draws = new()
    {
        ["cut"] = d => d,
        ["mirrored"] = d => d with { Region = d.Region with { Flip = true } },
        ["enlarged"] = d => d with { Region = new(20, 10, 12, 9) },
        ["whole"] = d => d with { Region = new(0, 0, 90, 70) },
        ["brighter"] = d => d with { Brightness = 1.35f },
        ["darker"] = d => d with { Brightness = 0.65f },
        ["contrast"] = d => d with { Contrast = 1.38f },
        ["saturation"] = d => d with { Saturation = 1.2f },
        ["hue"] = d => d with { Hue = 0.09f },
        ["hue back"] = d => d with { Hue = -0.1f },
        ["grey"] = d => d with { Grayscale = true },
        ["blurred"] = d => d with { Blur = 1.7f },
        ["blurred little"] = d => d with { Blur = 0.1f },
        ["solarized"] = d => d with { Solarize = true },
        ["everything"] = d => new(d.Region with { Flip = true }, 0.8f, 1.3f, 0.9f, 0.07f, false, 1.1f, true),
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_view_is_that_of_the_tensor_operations(string change)
    {
        using var scope = NewDisposeScope();
        var image = Picture(70, 90);
        var draw = Draws[change](Plain);
        using var renderer = new ViewRenderer(image, ImageNormalization.ImageNet);
        foreach (int size in new[] { 32, 27, 96 })
        {
            int[] order = ColorAugmentation.DrawOrder(new Random(size));
            var actual = new float[3 * size * size];
            renderer.Render(draw, size, order, actual);
            var expected = Reference(image, draw, size, order);
            var difference = (expected - tensor(actual, [1, 3, size, size])).abs();
            // At a threshold or between two sectors of the hue a rounding error may tip a value over, which moves it by under 0.02.
            Assert.True(difference.mean().ToSingle() < 1e-4, $"mean {difference.mean().ToSingle()} at {size}");
            Assert.True(difference.max().ToSingle() < (draw.Solarize ? 0.04 : 2e-3), $"most {difference.max().ToSingle()} at {size}");
        }
    }

    [Fact]
    public void Tiny_images_and_thin_regions_have_views()
    {
        using var scope = NewDisposeScope();
        var image = Picture(3, 2);
        using var renderer = new ViewRenderer(image, ImageNormalization.ImageNet);
        var draw = Plain with { Region = new(0, 0.5, 2, 1.5), Blur = 2 };
        var actual = new float[3 * 16 * 16];
        renderer.Render(draw, 16, [0, 1, 2, 3], actual);
        Near.Equal(Reference(image, draw, 16, [0, 1, 2, 3]), tensor(actual, [1, 3, 16, 16]), 1e-3, "view");
    }

    private static Tensor Reference(RgbImage image, ViewDraw draw, int size, int[] order)
    {
        var pixels = tensor(image.Pixels, [1, image.Height, image.Width, 3]).to_type(ScalarType.Float32);
        var cut = CropResampler.Resample(pixels, [(image.Height, image.Width)], [[draw.Region]], size)[0].div_(255).clamp_(0, 1);
        var normalization = ImageNormalization.ImageNet;
        return (ColorAugmentation.Apply(cut, [draw], order) - tensor(normalization.Mean.ToArray(), [1, 3, 1, 1]))
            / tensor(normalization.Deviation.ToArray(), [1, 3, 1, 1]);
    }

    private static RgbImage Picture(int height, int width)
    {
        var random = new Random(height);
        var pixels = new byte[3 * height * width];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < 3; c++)
                    pixels[(y * width + x) * 3 + c] = (byte)Math.Clamp(128 + 90 * Math.Sin(x * 0.13 * (c + 1)) * Math.Cos(y * 0.11) + random.Next(-30, 31), 0, 255);
            }
        }
        return new(height, width, pixels);
    }
}
