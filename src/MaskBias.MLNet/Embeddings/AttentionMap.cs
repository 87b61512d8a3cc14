using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Embeddings;

/// <summary>Where an encoder looks in an image: the attention of its class token to the patches, in the last block.</summary>
/// <param name="Seen">The image as the encoder sees it, S x S pixels.</param>
/// <param name="GridSize">Patches along each side.</param>
/// <param name="Heads">A map per head: GridSize · GridSize values, row by row, which sum to 1 with what the other tokens get.</param>
public sealed record AttentionMap(RgbImage Seen, int GridSize, IReadOnlyList<float[]> Heads)
{
    /// <summary>Computes the maps of an image. May be called from several threads at once.</summary>
    /// <param name="encoder">The encoder; one that is guided by masks computes without them.</param>
    /// <param name="image">An image of any size; it is resized as a saved model resizes it.</param>
    public static AttentionMap Of(VisionEncoder encoder, RgbImage image) => Of(encoder, image, null);

    /// <summary>Computes the maps of an image that masks guide the encoder through. May be called from several threads at once.</summary>
    /// <param name="encoder">The encoder; with masks it must be one that they guide.</param>
    /// <param name="image">An image of any size; it is resized as a saved model resizes it.</param>
    /// <param name="masks">The image's masks, or null to compute without.</param>
    /// <param name="options">Which masks count; null for the defaults.</param>
    /// <exception cref="ArgumentException">The masks are of another size than the image.</exception>
    /// <exception cref="InvalidOperationException">There are masks, and the encoder is not guided by any.</exception>
    public static AttentionMap Of(VisionEncoder encoder, RgbImage image, MaskSet? masks, MaskTokenOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(image);
        if (masks is not null && (masks.Width, masks.Height) != (image.Width, image.Height))
        {
            throw new ArgumentException(
                $"The masks are {masks.Width}x{masks.Height} pixels, the image is {image.Width}x{image.Height}; they must be of one size.",
                    nameof(masks));
        }
        int size = encoder.ImageSize, grid = size / encoder.Model.Options.PatchSize;
        float[] pixels = new float[3 * size * size];
        IsoCropResizer.Resize(image, size, pixels);
        int kept = 0;
        float[] shares = masks is null ? []
            : new MaskTokenizer(options).Compute(masks, IsoCrop.Region(image.Width, image.Height, size), grid, grid, out kept);

        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var batch = tensor(pixels).view(1, 3, size, size).to(encoder.Device);
        var tokens = kept == 0 ? null : tensor(shares).view(1, kept, grid * grid).to(encoder.Device);
        var attention = encoder.Model.LastSelfAttention(encoder.Normalize(batch), tokens);          // [1, h, 1 + R + N, 1 + R + N]
        var toPatches = attention[0, .., 0, encoder.Model.PrefixTokens..].contiguous().cpu();       // [h, N]
        return new(IsoCropResizer.Resize(image, size), grid, [.. toPatches.data<float>().ToArray().Chunk(grid * grid)]);
    }

    /// <summary>The mean of the heads' maps, GridSize · GridSize values.</summary>
    public float[] Mean() => [.. Enumerable.Range(0, GridSize * GridSize).Select(patch => Heads.Average(head => head[patch]))];

    /// <summary>Draws a map over the image, from dark blue for the least attention to yellow for the most.</summary>
    /// <param name="head">Which head, from 0; null for the mean of all.</param>
    /// <param name="scale">Pixels of the picture per pixel of the image, 1 to 64.</param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such head.</exception>
    public byte[] ToPng(int? head = null, int scale = 4)
    {
        if (head is < 0 || head >= Heads.Count)
            throw new ArgumentOutOfRangeException(nameof(head), head, $"head is {head}; it must lie in [0, {Heads.Count - 1}] or be null.");
        return MaskPictures.HeatMapPng(Seen, head is { } one ? Heads[one] : Mean(), GridSize, GridSize, scale);
    }
}
