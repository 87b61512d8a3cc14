using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>Makes an encoder for other images or patches from one that has learned: nothing else needs to start anew.</summary>
public static class EncoderResizing
{
    /// <summary>Copies an encoder for images, or patches, of another size.</summary>
    /// <param name="encoder">The encoder; it stays as it is.</param>
    /// <param name="imageSize">Side in pixels of the images; a multiple of the patches'.</param>
    /// <param name="patchSize">Side in pixels of the patches; null keeps it.</param>
    /// <returns>
    /// A new encoder on the same device, owned by the caller. A position embedding is resampled as <see cref="VitOptions.PositionResampling"/>
    /// says, or computed anew where it is fixed; the patch projection as <see cref="PatchResampling"/> does. A projection head is kept;
    /// a decoder where the patches are.
    /// </returns>
    /// <exception cref="ArgumentException">The sizes do not fit each other.</exception>
    public static VisionEncoder Resize(VisionEncoder encoder, int imageSize, int? patchSize = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var options = encoder.Model.Options;
        (options.ImageSize, options.PatchSize) = (imageSize, patchSize ?? options.PatchSize);
        var model = WeightLayers.WithoutStartValues(() => new VisionTransformer(options));
        DinoHead? head = null;
        MaeDecoder? decoder = null;
        try
        {
            model.to(encoder.Device);
            model.CopyResized(encoder.Model);
            if (encoder.Head is { } known) Copy(known, head = new DinoHead(known.InputDim, known.Options));
            if (encoder.Decoder is { } pixels && pixels.PatchSize == options.PatchSize)
                Copy(pixels, decoder = new MaeDecoder(options, pixels.Options), except: "decoder_pos_embed");
            head?.to(encoder.Device);
            decoder?.to(encoder.Device);
            return new(model, head, encoder.Normalization, decoder);
        }
        catch
        {
            model.Dispose();
            head?.Dispose();
            decoder?.Dispose();
            throw;
        }
    }

    private static void Copy(nn.Module source, nn.Module target, string? except = null)
    {
        using var _ = no_grad();
        var known = source.state_dict();
        foreach (var (name, tensor) in target.state_dict())
        {
            if (name != except) tensor.copy_(known[name]);
        }
    }
}
