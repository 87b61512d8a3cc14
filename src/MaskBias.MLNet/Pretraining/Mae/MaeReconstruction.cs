using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>What a masked autoencoder makes of an image; all pictures have the encoder's image size.</summary>
/// <param name="Input">The image as the encoder gets it, cropped and resized.</param>
/// <param name="Masked">The same with the hidden patches in grey.</param>
/// <param name="Reconstructed">The same with the hidden patches as the decoder predicts them.</param>
public sealed record MaeReconstruction(RgbImage Input, RgbImage Masked, RgbImage Reconstructed)
{
    private const int Gap = 4;

    /// <summary>Input, masked and reconstructed image from left to right, on white.</summary>
    public RgbImage SideBySide()
    {
        int size = Input.Width, width = 3 * size + 2 * Gap;
        var pixels = new byte[3 * width * Input.Height];
        pixels.AsSpan().Fill(byte.MaxValue);
        foreach (var (image, place) in new[] { Input, Masked, Reconstructed }.Select((image, i) => (image, i * (size + Gap))))
        {
            for (int y = 0; y < image.Height; y++)
                image.Pixels.AsSpan(3 * y * size, 3 * size).CopyTo(pixels.AsSpan(3 * (y * width + place)));
        }
        return new(Input.Height, width, pixels);
    }

    /// <summary><see cref="SideBySide"/> as a PNG file.</summary>
    public byte[] ToPng() => SideBySide().ToPng();
}
