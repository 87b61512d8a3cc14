using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;

namespace MaskBias.MLNet.Masks.Segmentation;

/// <summary>Segmenting the images of one input schema.</summary>
internal sealed class SegmentImagesMapping(DataViewSchema input, SegmentImagesOptions options, Func<RgbImage, byte[]> segment) : IRowMapping
{
    public IReadOnlyList<DataViewSchema.Column> Inputs { get; } = [ImageColumn.Find(input, options.InputColumnName).Column];

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; } = [MaskColumn.New(options.OutputColumnName)];

    public int BatchSize => 1;

    public IRowBatch CreateBatch(DataViewRow row, int capacity) => new Batch(this, row, capacity);

    private byte[] Segment(ImageRowReader images)
    {
        try
        {
            return Segment(images.Read(), images.Place);
        }
        catch (ImageReadException) when (options.OnUnreadableImage == UnreadableImage.MissingValue)
        {
            return [];
        }
    }

    private byte[] Segment(RgbImage image, string place)
    {
        try
        {
            return segment(image);
        }
        catch (ArgumentException e)             // too large or too elongated
        {
            throw new ImageReadException($"{place}: {e.Message}", e);
        }
    }

    private sealed class Batch(SegmentImagesMapping mapping, DataViewRow row, int capacity) : IRowBatch
    {
        private readonly ImageRowReader images = new(row, mapping.Inputs[0].Name, mapping.ApplyOrientation);
        private readonly byte[][] masks = new byte[capacity][];

        public void Read(int slot) => masks[slot] = mapping.Segment(images);

        public void Compute(int count)
        {
            // Read has done it: there is nothing to gain from a batch.
        }

        public Delegate Getter(int output, Func<int> slot) => MaskColumn.Getter(() => masks[slot()]);
    }

    private bool ApplyOrientation => options.ApplyOrientation;
}
