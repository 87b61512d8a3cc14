using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>
/// Shows what a masked autoencoder makes of an image that is mostly hidden from it; the encoder may come from a checkpoint, which keeps its
/// decoder.
/// </summary>
/// <remarks>The encoder stays its caller's: it must live as long as this is used. Safe from several threads at once.</remarks>
public sealed class MaeReconstructor
{
    private const byte Grey = 128;

    private readonly VisionEncoder encoder;
    private readonly MaeDecoder decoder;
    private readonly PatchMasker masker;
    private readonly MaskTokenizer tokenizer;

    /// <param name="encoder">An encoder with the decoder of its pretraining.</param>
    /// <param name="options">What is hidden.</param>
    /// <exception cref="ArgumentException">The encoder has no decoder, or an option is out of range or does not fit it.</exception>
    public MaeReconstructor(VisionEncoder encoder, ReconstructionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        this.encoder = encoder;
        decoder = encoder.Decoder
            ?? throw new ArgumentException("The encoder has no decoder: use one that MAE pretrained, or its checkpoint.", nameof(encoder));
        options = OptionsValidator.Validate(options ?? new()).Copy();
        if (decoder.GridSize % options.MaskBlockSize != 0)
            throw Wrong(
                $"MaskBlockSize is {options.MaskBlockSize}; it must divide the {decoder.GridSize} patches along a side of the image.");
        masker = new(decoder.GridSize, options.MaskRatio, options.MaskBlockSize);
        if (masker.VisiblePatches == 0 || masker.VisiblePatches == decoder.GridSize * decoder.GridSize)
            throw Wrong(
                $"MaskRatio is {options.MaskRatio}; of {masker.Blocks} blocks of patches it must leave some visible and hide some.");
        tokenizer = new(options.Masks);
    }

    /// <summary>Hides patches of an image and reconstructs them.</summary>
    /// <param name="image">The image; it is cropped and resized as an embedding does.</param>
    /// <param name="masks">Its masks, for a mask-guided encoder; null for none.</param>
    /// <param name="seed">Which patches are hidden.</param>
    /// <exception cref="ArgumentException">The masks are of another size than the image, or the encoder takes none.</exception>
    public MaeReconstruction Reconstruct(RgbImage image, MaskSet? masks = null, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        int size = encoder.ImageSize;
        var planar = new float[3 * size * size];
        IsoCropResizer.Resize(image, size, planar);
        var pixels = tensor(planar, [1, 3, size, size]);
        var images = encoder.Normalize(pixels.to(encoder.Device));
        var masking = masker.Draw(1, generator, encoder.Device);
        var visible = encoder.Model.ForwardVisible(images, masking.Visible, MaskTokens(masks, image));
        var predicted = decoder.forward(visible, masking.Restore);                                  // [1, N, 3·p²]
        var known = ImagePatches.Cut(images, decoder.PatchSize);
        if (decoder.Options.NormalizePixels)
        {
            var (mean, deviation) = ImagePatches.Statistics(known);
            predicted = Sum(predicted * deviation, mean);
        }
        var drawn = encoder.Denormalize(ImagePatches.Join(predicted, decoder.PatchSize)).cpu();
        var hidden = ImagePatches.Join(masking.Hidden.unsqueeze(-1).expand_as(predicted), decoder.PatchSize).cpu() > Number(0);
        return new(Picture(pixels), Picture(where(hidden, full_like(pixels, Number(Grey)), pixels)), Picture(where(hidden, drawn, pixels)));
    }

    private Tensor? MaskTokens(MaskSet? masks, RgbImage image)
    {
        if (masks is not { Count: > 0 }) return null;
        if (!encoder.Model.IsMaskGuided)
            throw new ArgumentException("The encoder has no mask-guided attention bias, so it takes no masks.", nameof(masks));
        if (masks.Width != image.Width || masks.Height != image.Height)
        {
            throw new ArgumentException($"The masks are {masks.Width}x{masks.Height} pixels, the image is {image.Width}x{image.Height}; "
                + "they must be of one size.", nameof(masks));
        }
        int grid = decoder.GridSize;
        float[] tokens = tokenizer.Compute(masks, IsoCrop.Region(image.Width, image.Height, encoder.ImageSize), grid, grid, out int kept);
        return kept == 0 ? null : tensor(tokens, [1, kept, grid * grid]).to(encoder.Device);
    }

    private static ArgumentException Wrong(string message) => new(message, "options");

    // [1, 3, S, S] in [0, 255]
    private static RgbImage Picture(Tensor pixels)
    {
        var bytes = pixels[0].permute(1, 2, 0).round().to_type(ScalarType.Byte).contiguous();
        return new((int)bytes.shape[0], (int)bytes.shape[1], bytes.bytes.ToArray());
    }
}
