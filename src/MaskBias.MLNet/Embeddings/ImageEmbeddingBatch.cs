using System.Runtime.ExceptionServices;
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
    private readonly bool isAtHand;             // decoded by somebody else
    private readonly int size;
    private readonly int patchesPerSide;
    private readonly float[] pixels;            // [capacity, 3, S, S]
    private readonly float[] features;          // [capacity, D]
    private readonly float[]?[] maskTokens;     // per row [K, N]
    private readonly bool[] isMissing;
    private readonly Slot[] slots;              // what the rows said, until it is computed
    private VBuffer<byte> masks;

    public ImageEmbeddingBatch(ImageEmbeddingMapping mapping, DataViewRow input, int capacity)
    {
        (this.mapping, this.input) = (mapping, input);
        var (options, encoder) = (mapping.Options, mapping.Encoder);
        images = new ImageRowReader(input, options.InputColumnName, options.ApplyOrientation || options.MaskColumnName is not null, mapping.Turned);
        if (options.MaskColumnName is { } name) readMasks = input.GetGetter<VBuffer<byte>>(input.Schema[name]);
        isAtHand = mapping.Kind == ImageColumnKind.Image;
        size = encoder.ImageSize;
        patchesPerSide = size / encoder.Model.Options.PatchSize;
        pixels = new float[checked(capacity * 3 * size * size)];
        features = new float[checked(capacity * mapping.FeatureDim)];
        maskTokens = new float[capacity][];
        isMissing = new bool[capacity];
        slots = new Slot[capacity];
    }

    // Of files only what the row says: all cores read and decode them together. An ML.NET image is gone when the cursor moves on.
    public void Read(int slot)
    {
        slots[slot] = new(images.Postpone(), ReadMasks(), input.Position);
        if (isAtHand) Decode(slots[slot], slot);
    }

    public void Compute(int count)
    {
        if (!isAtHand) Decode(count);
        int width = mapping.FeatureDim;
        mapping.Embed(pixels, count, features.AsSpan(0, count * width), StackMaskTokens(count));
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

    private byte[]? ReadMasks()
    {
        if (readMasks is null) return null;
        readMasks(ref masks);
        return [.. masks.DenseValues()];
    }

    // The first row's error is the one that is thrown, as it would be if they were read in turn.
    private void Decode(int count)
    {
        if (count == 1)
        {
            Decode(slots[0], 0);
            return;
        }
        var faults = new Exception?[count];
        Parallel.For(0, count, slot =>
        {
            try
            {
                Decode(slots[slot], slot);
            }
            catch (Exception e)
            {
                faults[slot] = e;
            }
        });
        if (faults.FirstOrDefault(f => f is not null) is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    private void Decode(Slot row, int slot)
    {
        int length = 3 * size * size;
        var target = pixels.AsSpan(slot * length, length);
        isMissing[slot] = false;
        maskTokens[slot] = null;
        try
        {
            using var image = row.ReadImage();
            IsoCropResizer.Resize(image, size, target);
            if (row.Masks is not null) maskTokens[slot] = MaskTokens(row, image);
        }
        catch (ImageReadException) when (mapping.Options.OnUnreadableImage == UnreadableImage.MissingValue)
        {
            isMissing[slot] = true;
            target.Clear();
        }
    }

    private float[] MaskTokens(Slot row, SKBitmap image)
    {
        try
        {
            var region = IsoCrop.Region(image.Width, image.Height, size);
            return mapping.MaskTokens(row.Masks, image.Width, image.Height, region, patchesPerSide);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"Row {row.Position}, column '{mapping.Options.MaskColumnName}': {e.Message}", e);
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

    private readonly record struct Slot(Func<SKBitmap> ReadImage, byte[]? Masks, long Position);
}
