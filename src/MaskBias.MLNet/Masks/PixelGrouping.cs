using System.Buffers;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// The finest division of an image: Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation" (IJCV 2004), on the
/// graph of pixels and their eight neighbours.
/// </summary>
/// <remarks>
/// Edges are quantised to eighths of a unit of colour difference and sorted by counting, which keeps equal edges in reading order:
/// the result depends on the image alone.
/// </remarks>
internal static class PixelGrouping
{
    private const int Levels = 2048;
    private const float StepsPerUnit = 8;

    /// <summary>Labels each pixel with its region, in order of first appearance.</summary>
    /// <param name="planes">The image.</param>
    /// <param name="granularity">k: two regions join when their closest edge is at most Int(C) + k/|C| for both.</param>
    /// <param name="minPixels">Smallest region; smaller ones join their closest neighbour.</param>
    /// <param name="labels">Receives Height · Width labels from 0.</param>
    /// <returns>The number of regions.</returns>
    public static int Group(PerceptualPlanes planes, double granularity, int minPixels, Span<int> labels)
    {
        int pixels = planes.Height * planes.Width;
        ushort[] weights = ArrayPool<ushort>.Shared.Rent(4 * pixels);
        int[] edges = ArrayPool<int>.Shared.Rent(4 * pixels);
        int[] parents = ArrayPool<int>.Shared.Rent(pixels), sizes = ArrayPool<int>.Shared.Rent(pixels);
        float[] limits = ArrayPool<float>.Shared.Rent(pixels);
        try
        {
            int[] steps = [1, planes.Width, planes.Width + 1, planes.Width - 1];         // right, down, and the two diagonals down
            int count = Sort(planes, steps, weights, edges);
            float k = (float)granularity * StepsPerUnit;
            for (int i = 0; i < pixels; i++) (parents[i], sizes[i], limits[i]) = (i, 1, k);

            int open = 0;                                                                // edges between regions, kept in order
            for (int e = 0; e < count; e++)
            {
                int edge = edges[e], a = Find(parents, edge >> 2), b = Find(parents, (edge >> 2) + steps[edge & 3]);
                if (a == b) continue;
                int weight = weights[edge];
                if (weight <= limits[a] && weight <= limits[b])
                {
                    a = Join(parents, sizes, a, b);
                    limits[a] = weight + k / sizes[a];
                }
                else
                {
                    edges[open++] = edge;
                }
            }
            for (int e = 0; e < open; e++)
            {
                int edge = edges[e], a = Find(parents, edge >> 2), b = Find(parents, (edge >> 2) + steps[edge & 3]);
                if (a != b && (sizes[a] < minPixels || sizes[b] < minPixels)) Join(parents, sizes, a, b);
            }
            return Number(parents, labels[..pixels], sizes);
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(weights);
            ArrayPool<int>.Shared.Return(edges);
            ArrayPool<int>.Shared.Return(parents);
            ArrayPool<int>.Shared.Return(sizes);
            ArrayPool<float>.Shared.Return(limits);
        }
    }

    // Edge 4·i + d leads from pixel i by step d.
    private static int Sort(PerceptualPlanes planes, int[] steps, ushort[] weights, int[] sorted)
    {
        const ushort none = ushort.MaxValue;
        int height = planes.Height, width = planes.Width, count = 0;
        Span<int> starts = stackalloc int[Levels + 1];
        starts.Clear();
        for (int y = 0, i = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, i++)
            {
                bool right = x + 1 < width, down = y + 1 < height;
                for (int d = 0; d < 4; d++)
                {
                    bool exists = d switch { 0 => right, 1 => down, 2 => right && down, _ => x > 0 && down };
                    if (!exists)
                    {
                        weights[4 * i + d] = none;
                        continue;
                    }
                    int weight = Math.Min(Levels - 1, (int)(planes.Distance(i, i + steps[d]) * StepsPerUnit));
                    weights[4 * i + d] = (ushort)weight;
                    starts[weight + 1]++;
                    count++;
                }
            }
        }
        for (int w = 0; w < Levels; w++) starts[w + 1] += starts[w];
        for (int edge = 0; edge < 4 * height * width; edge++)
        {
            if (weights[edge] != none) sorted[starts[weights[edge]]++] = edge;
        }
        return count;
    }

    private static int Find(int[] parents, int i)
    {
        while (parents[i] != i) i = parents[i] = parents[parents[i]];
        return i;
    }

    private static int Join(int[] parents, int[] sizes, int a, int b)
    {
        if (sizes[a] < sizes[b]) (a, b) = (b, a);
        parents[b] = a;
        sizes[a] += sizes[b];
        return a;
    }

    private static int Number(int[] parents, Span<int> labels, int[] numbers)
    {
        numbers.AsSpan(0, labels.Length).Fill(-1);
        int count = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            ref int number = ref numbers[Find(parents, i)];
            if (number < 0) number = count++;
            labels[i] = number;
        }
        return count;
    }
}
