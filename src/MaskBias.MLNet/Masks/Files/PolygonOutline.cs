namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// Rasterises polygons of one image as COCO's tools do: the outline is walked at five times the resolution, and where it passes the middle
/// of a column, the column's value changes from the next pixel on.
/// </summary>
/// <remarks>The walk's length is bounded over all polygons of an image, so that no file can keep the reader busy for long.</remarks>
internal sealed class PolygonOutline(int height, int width)
{
    private const int Scale = 5;
    private const double MaxCoordinate = 4 * MaskSet.MaxSide;
    private const long MaxSteps = 1 << 26;

    private long stepsLeft = MaxSteps;

    public int Height { get; } = height;

    public int Width { get; } = width;

    /// <summary>Gives the column-major run lengths of one polygon, x, y, x, y ...</summary>
    /// <exception cref="FormatException">There are too few numbers, or ones that are out of bounds.</exception>
    public int[] Rasterize(double[] polygon)
    {
        var toggles = new List<int>();
        int corners = CheckedCorners(polygon);
        var (previousX, previousY, isFirst) = (0, 0, true);
        for (int i = 0; i < corners; i++)
        {
            foreach (var (x, y) in new Edge(Corner(polygon, i), Corner(polygon, (i + 1) % corners)))
            {
                if (!isFirst && x != previousX) AddCrossing(toggles, previousX, previousY, x, y);
                (previousX, previousY, isFirst) = (x, y, false);
            }
        }
        toggles.Sort();
        return Runs(toggles);
    }

    private int CheckedCorners(double[] polygon)
    {
        if (polygon.Length < 6 || polygon.Length % 2 != 0)
            throw new FormatException($"A polygon has {polygon.Length} numbers; it needs x and y of at least three corners.");
        foreach (double value in polygon)
        {
            if (!(Math.Abs(value) <= MaxCoordinate)) throw new FormatException($"A polygon's coordinate is {value}; it must lie within ±{MaxCoordinate}.");
        }
        int corners = polygon.Length / 2;
        for (int i = 0; i < corners; i++) stepsLeft -= new Edge(Corner(polygon, i), Corner(polygon, (i + 1) % corners)).Steps + 1;
        return stepsLeft >= 0 ? corners
            : throw new FormatException($"The outlines of the image's polygons are longer than {MaxSteps / Scale} pixels.");
    }

    private static (int X, int Y) Corner(double[] polygon, int i) => ((int)(Scale * polygon[2 * i] + .5), (int)(Scale * polygon[2 * i + 1] + .5));

    private void AddCrossing(List<int> toggles, int fromX, int fromY, int toX, int toY)
    {
        double x = ((toX < fromX ? toX : toX - 1) + .5) / Scale - .5;
        if (Math.Floor(x) != x || x < 0 || x > Width - 1) return;
        double y = Math.Ceiling(Math.Clamp((Math.Min(fromY, toY) + .5) / Scale - .5, 0, Height));
        toggles.Add((int)x * Height + (int)y);
    }

    // Every toggle flips the value from its pixel on; two on the same pixel cancel.
    private int[] Runs(List<int> toggles)
    {
        var runs = new List<int>();
        int end = 0, total = Height * Width;
        for (int i = 0; i < toggles.Count; i++)
        {
            if (i + 1 < toggles.Count && toggles[i] == toggles[i + 1])
            {
                i++;
                continue;
            }
            if (toggles[i] == total) break;
            runs.Add(toggles[i] - end);
            end = toggles[i];
        }
        runs.Add(total - end);
        return [.. runs];
    }

    // The pixels of a line between two corners, both included, in that order; the slope is taken from the lower end of its longer axis.
    private readonly ref struct Edge
    {
        private readonly (int X, int Y) from, to;
        private readonly bool isFlat, isFlipped;
        private readonly double slope;

        public Edge((int X, int Y) from, (int X, int Y) to)
        {
            int across = Math.Abs(to.X - from.X), down = Math.Abs(to.Y - from.Y);
            isFlat = across >= down;
            isFlipped = isFlat ? from.X > to.X : from.Y > to.Y;
            (this.from, this.to) = isFlipped ? (to, from) : (from, to);
            Steps = Math.Max(across, down);
            slope = Steps == 0 ? 0 : isFlat ? (double)(this.to.Y - this.from.Y) / across : (double)(this.to.X - this.from.X) / down;
        }

        public int Steps { get; }

        private (int X, int Y) Point(int step)
        {
            int t = isFlipped ? Steps - step : step;
            return isFlat ? (from.X + t, (int)(from.Y + slope * t + .5)) : ((int)(from.X + slope * t + .5), from.Y + t);
        }

        public Enumerator GetEnumerator() => new(this);

        public ref struct Enumerator(Edge edge)
        {
            private readonly Edge edge = edge;
            private int step = -1;

            public readonly (int X, int Y) Current => edge.Point(step);

            public bool MoveNext() => ++step <= edge.Steps;
        }
    }
}
