using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Which parts of an image a classifier's answer rests on.</summary>
/// <param name="ClassName">The class that is explained.</param>
/// <param name="Probability">Its probability when the whole image is seen.</param>
/// <param name="GridSize">Patches along each side.</param>
/// <param name="Values">
/// How much the probability falls when a patch is hidden, row by row, the mean over the windows that hide it; below 0 where it rises.
/// </param>
/// <param name="Seen">The image as the classifier sees it.</param>
public sealed record SaliencyMap(string ClassName, double Probability, int GridSize, IReadOnlyList<double> Values, RgbImage Seen)
{
    /// <summary>The image with what matters most in red; what does not matter is grey.</summary>
    public RgbImage ToImage()
    {
        double most = Math.Max(Values.Max(), 1e-12);
        int size = Seen.Height;
        var pixels = new byte[Seen.Pixels.Length];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double share = Math.Max(0, Values[y * GridSize / size * GridSize + x * GridSize / size]) / most;
                int at = 3 * (y * size + x);
                double grey = 0.299 * Seen.Pixels[at] + 0.587 * Seen.Pixels[at + 1] + 0.114 * Seen.Pixels[at + 2];
                pixels[at] = (byte)(grey + share * (255 - grey) * 0.7);
                pixels[at + 1] = pixels[at + 2] = (byte)(grey * (1 - 0.7 * share));
            }
        }
        return new(size, size, pixels);
    }
}
