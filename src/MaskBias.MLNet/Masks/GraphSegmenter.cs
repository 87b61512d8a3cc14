using System.Buffers;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// The built-in segmenter: divides an image into regions at several scales, each region of a coarser scale the union of finer ones, and
/// makes every distinct region a mask. It needs no model and no training, and gives the same masks for the same image.
/// </summary>
/// <remarks>
/// The finest division is Felzenszwalb and Huttenlocher's (IJCV 2004) in a perceptual colour space; its regions then join pair by pair, the
/// most alike first. An object thus tends to be one mask at some scale. Thread-safe.
/// </remarks>
public sealed class GraphSegmenter
{
    // The finest regions are smaller than the smallest mask, so that contours are settled by the joining.
    private const double LeavesPerSmallestMask = 4;

    private readonly GraphSegmenterOptions options;

    /// <summary>Creates a segmenter; later changes of the options do not reach it.</summary>
    /// <param name="options">Scales and limits; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public GraphSegmenter(GraphSegmenterOptions? options = null) => this.options = OptionsValidator.Validate((options ?? new()).Copy());

    /// <summary>Segments an image.</summary>
    /// <param name="rgb">[height, width, 3] bytes: red, green, blue, row by row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <returns>The masks, largest first as segmented; none where the image shows a single region.</returns>
    /// <exception cref="ArgumentException">The size is out of bounds or does not fit the bytes.</exception>
    public MaskSet Segment(ReadOnlySpan<byte> rgb, int height, int width)
    {
        int pixels = MaskSet.CheckedPixels(height, width);
        if (rgb.Length != 3L * pixels)
            throw new ArgumentException($"{rgb.Length} bytes do not make {width}x{height} pixels of 3 bytes.", nameof(rgb));

        double reduction = Math.Min(1, options.MaxSide / (double)Math.Max(height, width));
        int rows = Math.Max(1, (int)Math.Round(height * reduction)), columns = Math.Max(1, (int)Math.Round(width * reduction));
        int[] labels = ArrayPool<int>.Shared.Rent(rows * columns);
        try
        {
            using var planes = PerceptualPlanes.From(rgb, height, width, rows, columns, options.Smoothing);
            int smallest = (int)Math.Max(1, Math.Round(options.MinRegionShare / LeavesPerSmallestMask * rows * columns));
            int regions = PixelGrouping.Group(planes, options.Granularity, smallest, labels);
            var tree = new RegionTree(planes, labels.AsSpan(0, rows * columns), regions);
            return BuildMasks(tree, Choose(tree, rows * columns), labels, (rows, columns), (height, width));
        }
        finally
        {
            ArrayPool<int>.Shared.Return(labels);
        }
    }

    private List<int> Choose(RegionTree tree, int pixels)
    {
        var (smallest, largest) = (options.MinRegionShare * pixels, options.MaxRegionShare * pixels);
        var chosen = new List<int>();
        for (int node = 0; node < tree.Count; node++)
        {
            if (tree.Size(node) < smallest || tree.Size(node) > largest) continue;
            foreach (int regions in options.Scales)
            {
                if (!tree.IsAlive(node, regions)) continue;
                chosen.Add(node);
                break;
            }
        }
        chosen.Sort((a, b) => tree.Size(a) != tree.Size(b) ? tree.Size(b).CompareTo(tree.Size(a)) : a.CompareTo(b));
        if (chosen.Count > options.MaxMasks) chosen.RemoveRange(options.MaxMasks, chosen.Count - options.MaxMasks);
        return chosen;
    }

    private static MaskSet BuildMasks(RegionTree tree, List<int> nodes, int[] labels, (int Rows, int Columns) small,
        (int Height, int Width) image)
    {
        var (places, ranges) = OrderLeaves(tree);
        var stretches = Stretches(labels, places, small, image.Width);
        var builder = new RunBuilder(image.Height, image.Width);
        foreach (int node in nodes)
        {
            var (first, end) = ranges[node];
            for (int y = 0; y < image.Height; y++)
            {
                int row = (int)((long)y * small.Rows / image.Height);
                for (int i = stretches.RowStarts[row]; i < stretches.RowStarts[row + 1]; i++)
                {
                    var (place, start, length) = stretches.Items[i];
                    if (place >= first && place < end) builder.Cover(y * image.Width + start, length);
                }
            }
            builder.EndMask();
        }
        return builder.Build();
    }

    // Puts the leaves in an order in which those of any node are consecutive.
    private static (int[] Places, (int First, int End)[] Ranges) OrderLeaves(RegionTree tree)
    {
        var ranges = new (int First, int End)[tree.Count];
        int[] places = new int[tree.Leaves], sizes = new int[tree.Count];
        for (int node = 0; node < tree.Count; node++)
        {
            var (first, second) = tree.Children(node);
            sizes[node] = first < 0 ? 1 : sizes[first] + sizes[second];
        }
        ranges[^1] = (0, tree.Leaves);
        for (int node = tree.Count - 1; node >= 0; node--)
        {
            var (start, end) = ranges[node];
            var (first, second) = tree.Children(node);
            if (first < 0)
            {
                places[node] = start;
                continue;
            }
            ranges[first] = (start, start + sizes[first]);
            ranges[second] = (start + sizes[first], end);
        }
        return (places, ranges);
    }

    // The stretches of one label in each row of the label map, in columns of the full image.
    private static (List<(int Place, int Start, int Length)> Items, int[] RowStarts) Stretches(
        int[] labels, int[] places, (int Rows, int Columns) small, int width)
    {
        var items = new List<(int, int, int)>();
        int[] rowStarts = new int[small.Rows + 1];
        for (int row = 0; row < small.Rows; row++)
        {
            var line = labels.AsSpan(row * small.Columns, small.Columns);
            for (int start = 0, end; start < line.Length; start = end)
            {
                for (end = start + 1; end < line.Length && line[end] == line[start]; end++) { }
                int left = FirstColumn(start, small.Columns, width);
                items.Add((places[line[start]], left, FirstColumn(end, small.Columns, width) - left));
            }
            rowStarts[row + 1] = items.Count;
        }
        return (items, rowStarts);
    }

    // The first column x of the full image that nearest neighbour takes from the given column or a later one: x · columns / width ≥ column.
    private static int FirstColumn(int column, int columns, int width) => (int)(((long)column * width + columns - 1) / columns);
}
