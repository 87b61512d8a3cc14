using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// How an image lies in the square that the model sees: its longest side fills it, the rest is padding below and to the right.
/// </summary>
internal sealed class ImageFrame
{
    private readonly int imageSize;

    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="imageSize">Side of the square.</param>
    /// <exception cref="ArgumentException">The image is too large or too elongated.</exception>
    public ImageFrame(int height, int width, int imageSize)
    {
        _ = MaskSet.CheckedPixels(height, width);
        (Height, Width, this.imageSize) = (height, width, imageSize);
        double scale = imageSize / (double)Math.Max(height, width);
        (ResizedHeight, ResizedWidth) = ((int)(height * scale + 0.5), (int)(width * scale + 0.5));
        if (ResizedHeight == 0 || ResizedWidth == 0)
        {
            throw new ArgumentException(
                $"An image of {width}x{height} cannot be segmented: its short side would be less than half a pixel when its long side has "
                + $"{imageSize}.");
        }
    }

    /// <summary>Rows of the image.</summary>
    public int Height { get; }

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>Rows once resized.</summary>
    public int ResizedHeight { get; }

    /// <summary>Columns once resized.</summary>
    public int ResizedWidth { get; }

    /// <summary>A point of the image in pixels of the resized one.</summary>
    public (double X, double Y) ToModel(double x, double y) => (x * ((double)ResizedWidth / Width), y * ((double)ResizedHeight / Height));

    /// <summary>Masks of the decoder at the size of the image: logits [B, C, 4G, 4G] -> [B, C, H, W].</summary>
    public Tensor ToImage(Tensor masks)
    {
        using var scope = NewDisposeScope();
        var square = Bilinear(masks, imageSize, imageSize);
        return Bilinear(square.narrow(2, 0, ResizedHeight).narrow(3, 0, ResizedWidth), Height, Width).MoveToOuterDisposeScope();
    }

    private static Tensor Bilinear(Tensor maps, long height, long width) =>
        nn.functional.interpolate(maps, [height, width], mode: InterpolationMode.Bilinear, align_corners: false);
}
