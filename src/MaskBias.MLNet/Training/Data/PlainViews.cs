using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>Images as an encoder sees them when it is used: resized and cut at the centre, nothing drawn at random.</summary>
internal sealed class PlainViews(ImageStore store, VisionEncoder normalizer, MaskTokenOptions? masks = null)
{
    private const int BatchSize = 64;

    private readonly MaskTokenizer? tokenizer = masks is null ? null : new(masks);

    /// <summary>The views of some images, in their order, a batch at a time; those that have become unreadable are left out.</summary>
    public IEnumerable<ViewBatch> Batches(IEnumerable<int> images)
    {
        foreach (int[] rows in images.Chunk(BatchSize))
        {
            var (seen, pixels) = (new List<int>(), new List<RgbImage>());
            foreach (int row in rows)
            {
                try
                {
                    pixels.Add(IsoCropResizer.Resize(store.Pixels(row), normalizer.ImageSize));
                    seen.Add(row);
                }
                catch (ImageReadException)
                {
                    // It was readable when the images were loaded; what remains is measured.
                }
            }
            if (seen.Count > 0) yield return new(Group(seen, pixels), null) { Rows = [.. seen] };
        }
    }

    private ViewGroup Group(List<int> rows, List<RgbImage> pixels)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int size = normalizer.ImageSize, length = 3 * size * size;
        var bytes = empty([rows.Count, size, size, 3], dtype: ScalarType.Byte);
        for (int i = 0; i < rows.Count; i++) pixels[i].Pixels.CopyTo(bytes.bytes.Slice(i * length, length));
        var planar = bytes.SentTo(normalizer.Device).to_type(ScalarType.Float32).permute(0, 3, 1, 2).contiguous();
        return new(1, normalizer.Normalize(planar).DetachFromDisposeScope(), Tokens(rows)?.DetachFromDisposeScope());
    }

    // [B, K, N], K the most masks of any image
    private Tensor? Tokens(List<int> rows)
    {
        if (tokenizer is null) return null;
        int grid = normalizer.ImageSize / normalizer.Model.Options.PatchSize, patches = grid * grid;
        var tokens = rows.Select(row => store[row] is { Masks.Count: > 0 } image
            ? tokenizer.Compute(image.Masks, IsoCrop.Region(image.Width, image.Height, normalizer.ImageSize), grid, grid, out _)
            : []).ToList();
        int most = tokens.Max(t => t.Length) / patches;
        if (most == 0) return null;
        float[] stacked = new float[rows.Count * most * patches];
        for (int i = 0; i < tokens.Count; i++) tokens[i].CopyTo(stacked, i * most * patches);
        return tensor(stacked, [rows.Count, most, patches]).SentTo(normalizer.Device);
    }
}
