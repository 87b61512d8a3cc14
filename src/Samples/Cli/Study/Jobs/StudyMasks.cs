using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Pictures;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>The masks of images, found once for all runs of a study and kept.</summary>
/// <param name="plan">Says where mask files are.</param>
/// <param name="root">The folder of the data.</param>
/// <param name="images">The images.</param>
/// <param name="folder">Keeps the masks.</param>
internal sealed class StudyMasks(StudyPlan plan, string root, StudyImages images, StudyFolder folder)
{
    private const int ImagesAtATime = 32;

    /// <summary>Encoded masks of each image, in their order.</summary>
    /// <param name="source">The segmenter, or the name of a mask folder.</param>
    /// <param name="of">The images.</param>
    /// <param name="cancellation">Stops finding.</param>
    public byte[][] Of(string source, IReadOnlyList<Photo> of, CancellationToken cancellation)
    {
        string key = StudyFolder.Key(["masks 1", images.MaskFolders.Key(source), images.Key(of)]), file = folder.MaskFile(key);
        using var alone = folder.Lock("masks-" + key, cancellation);
        if (File.Exists(file)) return Read(file, of.Count);
        long start = Stopwatch.GetTimestamp();
        var found = Find(source, of, cancellation);
        WholeFile.Write(file, stream => Write(found, stream));
        new MaskResult(source, of.Count, Stopwatch.GetElapsedTime(start).TotalSeconds, Environment.ProcessorCount,
            found.Average(m => m.Length == 0 ? 0 : MaskSet.Decode(m).Count)).Write(folder.Masks($"{SafeText.Slug(source)}-{key}"));
        return found;
    }

    /// <summary>Masks of each image as a cell's training has them: its own, or another image's.</summary>
    /// <param name="cell">The cell, which has a source of masks.</param>
    /// <param name="of">The images.</param>
    /// <param name="seed">Of the training.</param>
    /// <param name="cancellation">Stops finding.</param>
    public byte[][] Of(StudyCell cell, IReadOnlyList<Photo> of, int seed, CancellationToken cancellation)
    {
        byte[][] masks = Of(cell.Masks!, of, cancellation);
        return cell.Shuffled ? Shuffled(masks, seed) : masks;
    }

    /// <summary>Gives every image the masks of another one, fitted to its size.</summary>
    public static byte[][] Shuffled(byte[][] masks, int seed)
    {
        int[] order = [.. Enumerable.Range(0, masks.Length)];
        new Random(seed).Shuffle(order);
        var shuffled = new byte[masks.Length][];
        // Each takes those of the next in a circle through all images: never its own.
        Parallel.For(0, order.Length, i => shuffled[order[i]] = Fitted(masks[order[(i + 1) % order.Length]], masks[order[i]]));
        return shuffled;
    }

    // Each pixel takes what lies at its place in the other image.
    private static byte[] Fitted(byte[] masks, byte[] like)
    {
        if (masks.Length == 0 || like.Length == 0) return [];
        var (from, to) = (MaskSet.Decode(masks), MaskSet.Decode(like));
        if ((from.Height, from.Width) == (to.Height, to.Width)) return masks;
        return MaskSet.FromBitmaps(to.Height, to.Width, Resized(from, to.Height, to.Width)).Encode();
    }

    // One after the other, in the same array: all masks of a photograph may be larger than an array can be.
    private static IEnumerable<bool[]> Resized(MaskSet masks, int height, int width)
    {
        byte[] bitmap = new byte[masks.Height * masks.Width];
        bool[] resized = new bool[height * width];
        int[] columns = [.. Enumerable.Range(0, width).Select(x => (int)((long)x * masks.Width / width))];
        for (int k = 0; k < masks.Count; k++)
        {
            masks.CopyTo(k, bitmap);
            for (int y = 0, i = 0; y < height; y++)
            {
                int row = (int)((long)y * masks.Height / height) * masks.Width;
                foreach (int column in columns) resized[i++] = bitmap[row + column] != 0;
            }
            yield return resized;
        }
    }

    private byte[][] Find(string source, IReadOnlyList<Photo> of, CancellationToken cancellation)
    {
        var found = new byte[of.Count][];
        try
        {
            Parallel.ForEach(Partitioner.Create(0, of.Count, ImagesAtATime), new() { CancellationToken = cancellation },
                range => Find(source, of, range, found));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);             // a damaged file is one fault
        }
        return found;
    }

    private void Find(string source, IReadOnlyList<Photo> of, Tuple<int, int> range, byte[][] found)
    {
        var ml = new MLContext(seed: 1);
        var rows = PhotoSet.ToDataView(ml, of.Skip(range.Item1).Take(range.Item2 - range.Item1));
        IEstimator<ITransformer> finder = source == StudyCell.Segmenter
            ? ml.SelfSupervised().SegmentImages(PlanOptions.MaskColumn, "ImagePath")
            : ml.SelfSupervised().LoadMasks(new()
            {
                Path = Path.Combine(root, plan.Data.Masks[source]), OutputColumnName = PlanOptions.MaskColumn,
                OnMissingMasks = MissingMasks.NoMasks,
            });
        int i = range.Item1;
        foreach (byte[] masks in finder.Fit(rows).Transform(rows).GetColumn<byte[]>(PlanOptions.MaskColumn)) found[i++] = masks;
    }

    private static void Write(byte[][] masks, Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(masks.Length);
        foreach (byte[] one in masks)
        {
            writer.Write(one.Length);
            writer.Write(one);
        }
    }

    private static byte[][] Read(string file, int count)
    {
        using var reader = new BinaryReader(File.OpenRead(file));
        try
        {
            if (reader.ReadInt32() != count) throw new EndOfStreamException();
            var masks = new byte[count][];
            for (int i = 0; i < count; i++)
            {
                int length = reader.ReadInt32();
                if (length < 0 || length > reader.BaseStream.Length - reader.BaseStream.Position) throw new EndOfStreamException();
                masks[i] = reader.ReadBytes(length);
            }
            return masks;
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{file} is damaged: delete it, and the masks are found again.");
        }
    }
}
