using System.Buffers;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// A crop's grid of patches over an image of masks: where each pixel's edges lie, in patches from the crop's left and top. A run of
/// pixels then costs one addition per patch that it touches.
/// </summary>
internal sealed class PatchGrid : IDisposable
{
    private const int MaxPatchesPerSide = 4096;

    private readonly int imageWidth, rows, columns;
    private readonly bool flip;
    private readonly int firstX, endX, firstY, endY;      // the pixels that the crop touches
    private readonly double[] across, down;               // edges of those pixels, in patches: [pixels + 1]
    private readonly double[] shares;

    /// <exception cref="ArgumentException">The crop has no area or a number is out of bounds.</exception>
    public PatchGrid(MaskSet masks, CropRegion crop, int rows, int columns)
    {
        if (rows is < 1 or > MaxPatchesPerSide || columns is < 1 or > MaxPatchesPerSide)
            throw new ArgumentException($"The patches are {rows} rows of {columns}; each must lie in [1, {MaxPatchesPerSide}].");
        if (!double.IsFinite(crop.X) || !double.IsFinite(crop.Y) || !IsLength(crop.Width, columns) || !IsLength(crop.Height, rows))
            throw new ArgumentException($"{crop} has no area; its edges must be finite, its width and height above 0.", nameof(crop));
        (imageWidth, this.rows, this.columns, flip) = (masks.Width, rows, columns, crop.Flip);
        (firstX, endX, across) = Edges(crop.X, crop.Width, columns, masks.Width);
        (firstY, endY, down) = Edges(crop.Y, crop.Height, rows, masks.Height);
        shares = ArrayPool<double>.Shared.Rent(Patches);
    }

    /// <summary>Rows · columns.</summary>
    public int Patches => rows * columns;

    /// <summary>Area of a mask within the crop, in patches.</summary>
    public double Area(ReadOnlySpan<int> runs)
    {
        double area = 0;
        foreach (var (y, start, end) in new Segments(this, runs))
            area += (down[y + 1 - firstY] - down[y - firstY]) * (across[end - firstX] - across[start - firstX]);
        return area;
    }

    /// <summary>Writes the share of each patch that a mask covers, [rows · columns].</summary>
    public void WriteShares(ReadOnlySpan<int> runs, Span<float> target)
    {
        var sums = shares.AsSpan(0, Patches);
        sums.Clear();
        foreach (var (y, start, end) in new Segments(this, runs))
            Add(sums, down[y - firstY], down[y + 1 - firstY], across[start - firstX], across[end - firstX]);
        for (int r = 0; r < rows; r++)
        {
            var from = sums.Slice(r * columns, columns);
            if (flip) from.Reverse();
            for (int c = 0; c < columns; c++) target[r * columns + c] = (float)Math.Min(from[c], 1);     // the sum may exceed 1 by rounding
        }
    }

    /// <summary>Writes what a mask leaves of each patch's part within the image.</summary>
    public void WriteComplement(ReadOnlySpan<float> mask, Span<float> target)
    {
        var inside = shares.AsSpan(0, Patches);
        inside.Clear();
        if (endX > firstX && endY > firstY) Add(inside, down[0], down[endY - firstY], across[0], across[endX - firstX]);
        for (int r = 0; r < rows; r++)
        {
            var from = inside.Slice(r * columns, columns);
            if (flip) from.Reverse();
            for (int c = 0; c < columns; c++) target[r * columns + c] = (float)Math.Clamp(from[c] - mask[r * columns + c], 0, 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<double>.Shared.Return(across);
        ArrayPool<double>.Shared.Return(down);
        ArrayPool<double>.Shared.Return(shares);
    }

    // Adds to each patch its overlap with a rectangle, all in patches.
    private void Add(Span<double> sums, double top, double bottom, double left, double right)
    {
        if (right <= left) return;
        int first = (int)left, last = (int)right;
        for (int r = (int)top; r < bottom; r++)
        {
            var row = sums.Slice(r * columns, columns);
            double height = Math.Min(bottom, r + 1) - Math.Max(top, r);
            if (first == last)
            {
                row[first] += height * (right - left);
                continue;
            }
            row[first] += height * (first + 1 - left);
            for (int c = first + 1; c < last; c++) row[c] += height;
            if (right > last) row[last] += height * (right - last);
        }
    }

    private static bool IsLength(double value, int parts) => double.IsFinite(value) && value / parts > 0;

    private static (int First, int End, double[] Edges) Edges(double start, double length, int patches, int pixels)
    {
        int first = (int)Math.Clamp(Math.Floor(start), 0, pixels);
        int end = (int)Math.Clamp(Math.Ceiling(start + length), first, pixels);
        double[] edges = ArrayPool<double>.Shared.Rent(end - first + 1);
        double patch = length / patches;
        for (int i = 0; i <= end - first; i++) edges[i] = Math.Clamp((first + i - start) / patch, 0, patches);
        return (first, end, edges);
    }

    // The covered stretches of single rows, clipped to the pixels that the crop touches.
    private ref struct Segments(PatchGrid grid, ReadOnlySpan<int> runs)
    {
        private readonly ReadOnlySpan<int> runs = runs;
        private int next = 0, position = 0;               // of the runs not yet read
        private int y, x, left = 0;                       // what is left of the current run, as its pixels' place and number
        private (int Y, int Start, int End) current;

        public readonly (int Y, int Start, int End) Current => current;

        public readonly Segments GetEnumerator() => this;

        public bool MoveNext()
        {
            while (true)
            {
                if (left == 0 && !NextRun()) return false;
                int start = x, end = Math.Min(x + left, grid.imageWidth);
                left -= end - start;
                current = (y, Math.Max(start, grid.firstX), Math.Min(end, grid.endX));
                (x, y) = (0, y + 1);
                if (current.End > current.Start) return true;
            }
        }

        // Goes to the next run that reaches the crop's rows; cuts off what lies above or below them.
        private bool NextRun()
        {
            int from = grid.firstY * grid.imageWidth, to = grid.endY * grid.imageWidth;
            while (next + 1 < runs.Length)
            {
                int start = position + runs[next];
                position = start + runs[next + 1];
                next += 2;
                if (start >= to) return false;
                if (position <= from) continue;
                start = Math.Max(start, from);
                left = Math.Min(position, to) - start;
                y = (int)((uint)start / (uint)grid.imageWidth);
                x = start - y * grid.imageWidth;
                return true;
            }
            return false;
        }
    }
}
