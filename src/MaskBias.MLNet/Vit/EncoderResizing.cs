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
    /// says, or computed anew where it is fixed; the patch projection so that a resampled patch gives nearly the same
    /// token (Beyer et al., FlexiViT, 2023, Eq. 3). A projection head is kept;
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

    /// <summary>Checks that training can go on from an encoder.</summary>
    /// <exception cref="ArgumentException">It is of another architecture than the one to train.</exception>
    internal static void CheckStart(VisionEncoder? start, VitOptions encoder)
    {
        if (start is null) return;
        string[] differences = [.. encoder.DifferencesFrom(start.Model.Options)];
        if (differences.Length == 0) return;
        throw new ArgumentException($"Encoder is of another architecture than StartFrom: {string.Join("; ", differences)}. They may differ in the sizes "
            + "of images and patches alone: take Encoder from StartFrom.Model.Options.");
    }

    /// <summary>Takes the weights of an encoder to go on from; of its head and decoder too, where they are of the same sizes.</summary>
    internal static void Start(VisionEncoder start, VisionTransformer model, DinoHead? head = null, MaeDecoder? decoder = null)
    {
        model.CopyResized(start.Model);
        if (head is not null && start.Head is { } prototypes && HaveSameShapes(prototypes, head)) Copy(prototypes, head);
        if (decoder is not null && start.Decoder is { } pixels && HaveSameShapes(pixels, decoder)) Copy(pixels, decoder);
    }

    private static bool HaveSameShapes(nn.Module source, nn.Module target)
    {
        var (known, wanted) = (source.state_dict(), target.state_dict());
        return known.Count == wanted.Count && wanted.All(w => known.TryGetValue(w.Key, out var k) && k.shape.SequenceEqual(w.Value.shape));
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
