using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Search.Collection;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Draws what the segmenter finds in a picture and where the encoder looks.</summary>
/// <param name="collection">The pictures.</param>
/// <param name="encoder">The encoder, or null where there is no checkpoint.</param>
internal sealed class PictureDrawings(ImageCollection collection, VisionEncoder? encoder)
{
    private const int DrawnSide = 512;

    private readonly GraphSegmenter segmenter = new();
    private readonly SemaphoreSlim computing = new(1);          // each drawing keeps the cores busy by itself

    /// <summary>Attention maps of an image; 0 where there is no checkpoint.</summary>
    public int AttentionHeads => encoder?.Model.Options.Heads ?? 0;

    /// <summary>The picture with its masks, a PNG; null where it is gone.</summary>
    public Task<byte[]?> MasksAsync(Guid id, CancellationToken cancel) => DrawAsync(id, picture =>
    {
        var image = picture.Reduced(DrawnSide);
        return MaskPictures.OverlayPng(image, segmenter.Segment(image.Pixels, image.Height, image.Width), Scale(image));
    }, cancel);

    /// <summary>The attention over the picture, a PNG; null where the picture is gone.</summary>
    /// <param name="id">Which picture.</param>
    /// <param name="head">Which head, or null for the mean.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public Task<byte[]?> AttentionAsync(Guid id, int? head, CancellationToken cancel) => DrawAsync(id, picture =>
    {
        var map = AttentionMap.Of(encoder!, picture);
        return map.ToPng(head, Scale(map.Seen));
    }, cancel);

    /// <summary>A picture's file, or null where it is gone.</summary>
    public static async Task<byte[]?> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, cancel);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private async Task<byte[]?> DrawAsync(Guid id, Func<RgbImage, byte[]> draw, CancellationToken cancel)
    {
        if (collection.Find(id) is null || await ReadAsync(collection.PicturePath(id), cancel) is not { } bytes) return null;
        await computing.WaitAsync(cancel);
        try
        {
            return await Task.Run(() => draw(ImageDecoder.Decode(bytes, "The picture")), cancel);
        }
        finally
        {
            computing.Release();
        }
    }

    // A small picture is drawn larger, so that outlines are fine and patches sharp.
    private static int Scale(RgbImage image) => Math.Clamp(DrawnSide / Math.Max(image.Width, image.Height), 1, 16);
}
