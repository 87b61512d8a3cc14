using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Images.Augmentation;

/// <summary>Random erasing (Zhong et al., AAAI 2020): a rectangle of an image becomes noise.</summary>
internal static class RandomErasing
{
    private const double MinArea = 0.02, MaxArea = 1.0 / 3, MinAspect = 0.3;
    private const int Attempts = 10;

    /// <summary>Erases a rectangle of 2% to a third of the area in some images of a batch, in place.</summary>
    /// <param name="images">Normalised, [B, 3, S, S].</param>
    /// <param name="probability">Chance of each image.</param>
    /// <param name="random">Draws all.</param>
    /// <param name="own">The rows of the batch that are here; what they get is drawn as for the whole batch. null for all.</param>
    public static void Apply(Tensor images, double probability, Random random, OwnRows? own = null)
    {
        if (probability == 0) return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int height = (int)images.shape[2], width = (int)images.shape[3];
        using var generator = new Generator((ulong)random.NextInt64(), CPU);
        int whole = own?.Whole ?? (int)images.shape[0];
        for (int i = 0; i < whole; i++)
        {
            if (random.NextDouble() >= probability) continue;
            var (y, x, h, w) = Draw(height, width, random);
            if (h == 0) continue;
            var noise = randn([3, h, w], generator: generator);
            int here = own is null ? i : Array.BinarySearch(own.Positions, i);
            if (here >= 0) images[here, .., y..(y + h), x..(x + w)] = noise.SentTo(images.device);
        }
    }

    private static (int Y, int X, int Height, int Width) Draw(int height, int width, Random random)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            double area = height * width * (MinArea + (MaxArea - MinArea) * random.NextDouble());
            double aspect = Math.Exp(Math.Log(MinAspect) * (1 - 2 * random.NextDouble()));
            int h = (int)Math.Round(Math.Sqrt(area * aspect)), w = (int)Math.Round(Math.Sqrt(area / aspect));
            if (h >= 1 && w >= 1 && h < height && w < width) return (random.Next(height - h + 1), random.Next(width - w + 1), h, w);
        }
        return default;
    }
}
