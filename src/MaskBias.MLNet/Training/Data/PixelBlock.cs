using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// Neighbouring images of a batch, padded to a common size. A batch is cut into blocks of bounded size, so that one very wide image does
/// not make every other as wide, and the pixels of a large batch need not be on the device at once.
/// </summary>
internal sealed class PixelBlock : IDisposable
{
    private const long MaxBytes = 64 << 20;

    private PixelBlock(int first, ReadOnlySpan<RgbImage> images, int height, int width, bool pinned)
    {
        (First, Height, Width) = (first, height, width);
        Sizes = [.. images.ToArray().Select(i => (i.Height, i.Width))];
        Pixels = empty([images.Length, height, width, 3], dtype: ScalarType.Byte);
        int stride = width * 3;
        var bytes = Pixels.bytes;
        for (int i = 0; i < images.Length; i++) Copy(images[i], bytes.Slice(checked(i * height * stride), height * stride), stride);
        if (!pinned) return;
        using var unpinned = Pixels;
        Pixels = unpinned.Pinned();
    }

    /// <summary>Index of the block's first image in the batch.</summary>
    public int First { get; }

    public int Height { get; }

    public int Width { get; }

    /// <summary>True size of each image.</summary>
    public IReadOnlyList<(int Height, int Width)> Sizes { get; }

    /// <summary>[rows, H, W, 3], bytes, zero outside of each image.</summary>
    public Tensor Pixels { get; }

    /// <summary>Cuts a batch into blocks; an image that is larger than a block may be has one of its own.</summary>
    /// <param name="images">The images.</param>
    /// <param name="pinned">Whether a CUDA device is to read the pixels.</param>
    public static IReadOnlyList<PixelBlock> Cut(RgbImage[] images, bool pinned)
    {
        var blocks = new List<PixelBlock>();
        int first = 0, height = 0, width = 0;
        for (int i = 0; i < images.Length; i++)
        {
            var (higher, wider) = (Math.Max(height, images[i].Height), Math.Max(width, images[i].Width));
            if (i > first && 3L * (i - first + 1) * higher * wider > MaxBytes)
            {
                blocks.Add(new(first, images.AsSpan(first..i), height, width, pinned));
                (first, higher, wider) = (i, images[i].Height, images[i].Width);
            }
            (height, width) = (higher, wider);
        }
        blocks.Add(new(first, images.AsSpan(first..), height, width, pinned));
        return blocks;
    }

    public void Dispose() => Pixels.Dispose();

    private static void Copy(RgbImage image, Span<byte> target, int stride)
    {
        target.Clear();
        int used = image.Width * 3;
        for (int y = 0; y < image.Height; y++) image.Pixels.AsSpan(y * used, used).CopyTo(target[(y * stride)..]);
    }
}
