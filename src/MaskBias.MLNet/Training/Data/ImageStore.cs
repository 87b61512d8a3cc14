using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// The training images, read once from a data view: encoded ones stay encoded, decoded ones are kept within a memory budget, and those that
/// cannot be decoded again go to a temporary file beyond it. Every image is decoded once on the way in, so that unreadable ones are known
/// before training starts.
/// </summary>
internal sealed class ImageStore : IDisposable
{
    private const int NamedFaults = 5;

    private readonly PixelSpill spill = new();
    private readonly List<StoredImage> images = [];
    private readonly string? maskColumnName;
    private readonly int maxShortSide;
    private readonly TurnedImages turned = new();
    private long cacheLeft;

    private ImageStore(PretrainingOptions options, int maxShortSide)
    {
        (this.maxShortSide, maskColumnName) = (maxShortSide, options.MaskColumnName);
        cacheLeft = (long)options.ImageCacheMegabytes << 20;
    }

    /// <summary>Number of readable images.</summary>
    public int Count => images.Count;

    /// <summary>Number of rows left out because their image could not be read.</summary>
    public int Skipped { get; private set; }

    /// <summary>Warns where files hold their image turned, which a classifier will not see upright.</summary>
    public void WarnOfTurned(Action<string> warn) => turned.Warn(Count + Skipped, warn);

    /// <summary>Bytes of decoded images in the temporary file.</summary>
    public long SpilledBytes => spill.Length;

    /// <summary>Equal only where rows, sizes, names or contents of the images, and masks are: what a resumed run must find again.</summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var image in images)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{image.Row} {image.Width}x{image.Height} ")));
            // A file may move with its folder; what is in memory is looked at.
            if (image.Source.Path is { } path)
                hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileName(path)}"));
            else hash.AppendData(image.Source.Encoded ?? Decode(image, out _).Pixels);
            if (image.Masks is { } masks) hash.AppendData(masks.Encode());
        }
        return Output.Fingerprint.Of(hash);
    }

    public StoredImage this[int index] => images[index];

    /// <summary>Reads all rows.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="options">Column names, cache size, and what to do about unreadable images.</param>
    /// <param name="maxShortSide">Larger images are reduced to this short side.</param>
    /// <param name="warn">Receives what was left out.</param>
    /// <param name="rowNumbers">What the caller calls each row, where some were left out before; null for their positions.</param>
    /// <exception cref="ArgumentException">A column is missing or has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two readable images.</exception>
    /// <exception cref="ImageReadException">An image cannot be read and the options say to stop.</exception>
    /// <exception cref="InvalidDataException">Masks are damaged or of another size than their image.</exception>
    public static ImageStore Load(
        IDataView data, PretrainingOptions options, int maxShortSide, Action<string> warn, IReadOnlyList<long>? rowNumbers = null)
    {
        var store = new ImageStore(options, maxShortSide);
        try
        {
            store.ReadRows(data, options, rowNumbers);
            int rows = store.Count;
            store.DecodeAll(options, warn);
            if (store.Count >= 2) return store;
            throw new InvalidOperationException(
                $"Column '{options.ImageColumnName}' has {store.Count} readable images of {rows}; training needs at least 2.");
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The pixels of an image, from memory or decoded anew.</summary>
    /// <exception cref="ImageReadException">It cannot be read (any more).</exception>
    public RgbImage Pixels(int index)
    {
        var image = images[index];
        return image.Cached ?? Decode(image, out _);
    }

    /// <summary>Frees the temporary file.</summary>
    public void Dispose() => spill.Dispose();

    private void ReadRows(IDataView data, PretrainingOptions options, IReadOnlyList<long>? rowNumbers)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, options.ImageColumnName);
        var maskColumn = options.MaskColumnName is null ? (DataViewSchema.Column?)null : MaskColumn.Find(data.Schema, options.MaskColumnName);
        using var cursor = data.GetRowCursor(maskColumn is null ? [column] : [column, maskColumn.Value]);
        long Row() => rowNumbers?[(int)cursor.Position] ?? cursor.Position;
        var readSource = SourceReader(cursor, column, kind, () => $"Row {Row()}, column '{column.Name}'");
        var readMasks = maskColumn is null ? null : MaskColumn.Reader(cursor, maskColumn.Value);
        while (cursor.MoveNext())
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            images.Add(new(Row(), readSource(), readMasks?.Invoke()));
        }
    }

    private Func<ImageSource> SourceReader(DataViewRow cursor, DataViewSchema.Column column, ImageColumnKind kind, Func<string> place)
    {
        switch (kind)
        {
            case ImageColumnKind.Path:
                var path = cursor.GetGetter<ReadOnlyMemory<char>>(column);
                ReadOnlyMemory<char> text = default;
                return () =>
                {
                    path(ref text);
                    return new(place(), Path: text.ToString());
                };
            case ImageColumnKind.Encoded:
                var bytes = cursor.GetGetter<VBuffer<byte>>(column);
                VBuffer<byte> buffer = default;
                return () =>
                {
                    bytes(ref buffer);
                    return new(place(), Encoded: buffer.DenseValues().ToArray());
                };
            default:
                var pixels = new ImageRowReader(cursor, column.Name, applyOrientation: false);
                return () =>
                {
                    try
                    {
                        var image = pixels.Read();                    // cannot be read again: what is kept is no more than training needs
                        return new(place(), Pixels: Held(ImageReduction.ToShortSide(image, maxShortSide)), FullSize: (image.Height, image.Width));
                    }
                    catch (ImageReadException e)
                    {
                        return new(place(), Fault: e);
                    }
                };
        }
    }

    private Func<RgbImage> Held(RgbImage image)
    {
        cacheLeft -= image.Pixels.Length;
        if (cacheLeft >= 0) return () => image;
        cacheLeft += image.Pixels.Length;
        return spill.Add(image);
    }

    private void DecodeAll(PretrainingOptions options, Action<string> warn)
    {
        var faults = new ConcurrentDictionary<int, string>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = options.CancellationToken };
        try
        {
            Parallel.For(0, images.Count, parallel, index =>
            {
                try
                {
                    Keep(images[index]);
                }
                catch (ImageReadException e) when (options.OnUnreadableImage == UnreadableTrainingImage.Skip)
                {
                    faults[index] = e.Message;
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(x => x is ImageReadException or InvalidDataException or IOException) is { } fault)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
        if (faults.IsEmpty) return;
        Skipped = faults.Count;
        var named = faults.OrderBy(f => f.Key).Take(NamedFaults).Select(f => f.Value);
        warn($"{faults.Count} of {images.Count} images cannot be read and are left out: {string.Join(" ", named)}{(faults.Count > NamedFaults ? " …" : "")}");
        int position = 0;
        images.RemoveAll(_ => faults.ContainsKey(position++));
    }

    private void Keep(StoredImage image)
    {
        var pixels = Decode(image, out bool isStoredTurned);
        if (isStoredTurned) turned.Add();
        if (image.Masks is { } masks && (masks.Height != image.Height || masks.Width != image.Width))
            throw new InvalidDataException($"Row {image.Row}, column '{maskColumnName}': the masks are {masks.Width}x{masks.Height} pixels, the image is {image.Width}x{image.Height}; they must be of one size.");
        if (image.Source.Pixels is not null) return;                 // held already
        if (Interlocked.Add(ref cacheLeft, -pixels.Pixels.LongLength) >= 0) image.Cached = pixels;
        else Interlocked.Add(ref cacheLeft, pixels.Pixels.LongLength);
    }

    private RgbImage Decode(StoredImage image, out bool isStoredTurned)
    {
        (var pixels, int height, int width, isStoredTurned) = image.Source.Decode(maxShortSide);
        if (image.Height != 0 && (height, width) != (image.Height, image.Width))
        {
            throw new ImageReadException($"{image.Source.Place}: '{image.Source.Path}' has changed since it was first read: it is {width}x{height} "
                + $"pixels now and was {image.Width}x{image.Height}.");
        }
        (image.Height, image.Width) = (height, width);
        return pixels;
    }
}
