using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Embeddings;

/// <summary>The images that one cursor embeds together.</summary>
internal sealed class ImageEmbeddingBatch : IRowBatch
{
    private readonly ImageEmbeddingMapping mapping;
    private readonly DataViewRow input;
    private readonly ImageRowReader images;
    private readonly ValueGetter<VBuffer<byte>>? readMasks;
    private readonly int size;
    private readonly int patchesPerSide;
    private readonly float[] pixels;            // [capacity, 3, S, S]
    private readonly float[] features;          // [capacity, D]
    private readonly float[]?[] maskTokens;     // per row [K, N]
    private readonly bool[] isMissing;
    private VBuffer<byte> masks;

    public ImageEmbeddingBatch(ImageEmbeddingMapping mapping, DataViewRow input, int capacity)
    {
        (this.mapping, this.input) = (mapping, input);
        var (options, encoder) = (mapping.Options, mapping.Encoder);
        images = new ImageRowReader(input, options.InputColumnName, options.ApplyOrientation || options.MaskColumnName is not null);
        if (options.MaskColumnName is { } name) readMasks = input.GetGetter<VBuffer<byte>>(input.Schema[name]);
        size = encoder.ImageSize;
        patchesPerSide = size / encoder.Model.Options.PatchSize;
        pixels = new float[checked(capacity * 3 * size * size)];
        features = new float[checked(capacity * mapping.FeatureDim)];
        maskTokens = new float[capacity][];
        isMissing = new bool[capacity];
    }

    public void Read(int slot)
    {
        int length = 3 * size * size;
        var target = pixels.AsSpan(slot * length, length);
        isMissing[slot] = false;
        maskTokens[slot] = null;
        try
        {
            using var image = images.ReadBitmap();
            IsoCropResizer.Resize(image, size, target);
            if (readMasks is not null) maskTokens[slot] = ReadMasks(image);
        }
        catch (ImageReadException) when (mapping.Options.OnUnreadableImage == UnreadableImage.MissingValue)
        {
            isMissing[slot] = true;
            target.Clear();
        }
    }

    public void Compute(int count)
    {
        int width = mapping.FeatureDim, length = 3 * size * size;
        mapping.Encoder.Embed(
            pixels.AsSpan(0, count * length), count, features.AsSpan(0, count * width), StackMaskTokens(count), mapping.Options.Blocks);
        for (int slot = 0; slot < count; slot++)
        {
            if (isMissing[slot]) features.AsSpan(slot * width, width).Fill(float.NaN);
        }
    }

    public Delegate Getter(int output, Func<int> slot) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
    {
        int width = mapping.FeatureDim;
        var row = features.AsSpan(slot() * width, width);
        var editor = VBufferEditor.Create(ref value, width);
        row.CopyTo(editor.Values);
        value = editor.Commit();
    });

    private float[] ReadMasks(SKBitmap image)
    {
        readMasks!(ref masks);
        var encoded = masks.IsDense ? masks.GetValues() : masks.DenseValues().ToArray();
        try
        {
            return mapping.MaskTokens(encoded, image.Width, image.Height, IsoCrop.Region(image.Width, image.Height, size), patchesPerSide);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"Row {input.Position}, column '{mapping.Options.MaskColumnName}': {e.Message}", e);
        }
    }

    // [rows, K, N] with the largest K of the rows: a mask that covers nothing has no part in any relation.
    private float[] StackMaskTokens(int count)
    {
        int longest = maskTokens.Take(count).Max(t => t?.Length ?? 0);
        if (longest == 0) return [];
        var stacked = new float[count * longest];
        for (int slot = 0; slot < count; slot++) maskTokens[slot]?.CopyTo(stacked, slot * longest);
        return stacked;
    }
}
