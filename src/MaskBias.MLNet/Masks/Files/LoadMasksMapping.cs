using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Reading the stored masks of the images of one input schema.</summary>
internal sealed class LoadMasksMapping : IRowMapping
{
    private readonly LoadMasksOptions options;
    private readonly IMaskSource source;

    public LoadMasksMapping(DataViewSchema input, LoadMasksOptions options, IMaskSource source)
    {
        (this.options, this.source) = (options, source);
        var (column, kind) = ImageColumn.Find(input, options.InputColumnName);
        LoadMasksEstimator.Check(kind, options.InputColumnName);
        Inputs = [column];
    }

    public IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs => [MaskColumn.New(options.OutputColumnName)];

    public int BatchSize => 1;

    public IRowBatch CreateBatch(DataViewRow row, int capacity) => new Batch(this, row, capacity);

    private byte[] Load(string place, string path)
    {
        try
        {
            var (height, width) = ImageHeader.ReadSize(place, path, options.ApplyOrientation);
            return (Find(place, path) is { Masks: { } masks } found ? FitTo(masks, height, width, place, path, found.File) : MaskSet.Empty(height, width)).Encode();
        }
        catch (ImageReadException) when (options.OnUnreadableImage == UnreadableImage.MissingValue)
        {
            return [];
        }
    }

    private FoundMasks? Find(string place, string path)
    {
        FoundMasks? found;
        try
        {
            found = source.Find(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{place}: the masks of '{path}' cannot be read: {e.Message}", e);
        }
        if (found is not null || options.OnMissingMasks == MissingMasks.NoMasks) return found;
        // What makes masks finds none in an image that cannot be read: then that is what is wrong, and what training does about it.
        ImageDecoder.DecodeBitmap(ImageSource.ReadFile(place, path), $"{place}: '{path}'", options.ApplyOrientation).Dispose();
        throw new InvalidDataException($"{place}: there are no masks for '{path}': {source.Description}. "
            + $"Set {nameof(LoadMasksOptions.OnMissingMasks)} to {nameof(MissingMasks.NoMasks)} if images may have none.");
    }

    // Masks made of a smaller or larger copy of the image fit after scaling; others belong to another image, or to one turned differently.
    private static MaskSet FitTo(MaskSet masks, int height, int width, string place, string path, string file)
    {
        if ((masks.Height, masks.Width) == (height, width)) return masks;
        if (!MaskResizing.SameAspect((masks.Height, masks.Width), (height, width)))
        {
            throw new InvalidDataException($"{place}: the masks in '{file}' are of {masks.Width}x{masks.Height}, '{path}' is of {width}x{height}: "
                + "they are scaled only where the sides' proportion agrees within a pixel.");
        }
        try
        {
            return MaskResizing.Nearest(masks, height, width, CocoRle.MaxRuns);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{place}: the masks in '{file}' cannot be scaled to '{path}': {e.Message}", e);
        }
    }

    private sealed class Batch(LoadMasksMapping mapping, DataViewRow row, int capacity) : IRowBatch
    {
        private readonly ValueGetter<ReadOnlyMemory<char>> getter = row.GetGetter<ReadOnlyMemory<char>>(mapping.Inputs[0]);
        private readonly byte[][] masks = new byte[capacity][];
        private ReadOnlyMemory<char> path;

        public void Read(int slot)
        {
            getter(ref path);
            masks[slot] = mapping.Load($"Row {row.Position}, column '{mapping.Inputs[0].Name}'", path.ToString());
        }

        public void Compute(int count)
        {
            // Read has done it: there is nothing to gain from a batch.
        }

        public Delegate Getter(int output, Func<int> slot) => MaskColumn.Getter(() => masks[slot()]);
    }
}
