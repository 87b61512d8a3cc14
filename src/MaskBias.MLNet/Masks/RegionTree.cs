using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// Joins the regions of an image pair by pair, the most alike first, until one is left: a tree whose node n is the union of two earlier
/// ones. Nodes 0 to Leaves - 1 are the given regions.
/// </summary>
/// <remarks>
/// Two adjacent regions are alike when their mean colours and the contrast along their common border are. Small regions join early, and so
/// do regions that both lie at the image's border, since they are more often one background than two objects; regions of which one
/// holds much more of the image's border than the other join late.
/// </remarks>
internal sealed class RegionTree
{
    private readonly Region[] regions;
    private readonly List<Border> borders = [];
    private readonly List<int> bordersOfRegions = [];            // each region's borders are consecutive; a merged region appends its own
    private readonly PriorityQueue<int, ulong> queue = new();    // the border's version; its cost's bits, then its index
    private readonly double imageBorder;

    /// <summary>Builds the tree.</summary>
    /// <param name="planes">The image.</param>
    /// <param name="labels">Height · Width labels of its regions, from 0.</param>
    /// <param name="leaves">Number of regions; they are connected.</param>
    public RegionTree(PerceptualPlanes planes, ReadOnlySpan<int> labels, int leaves)
    {
        Leaves = leaves;
        regions = new Region[2 * leaves - 1];
        imageBorder = Math.Max(1, 2 * (planes.Height + planes.Width) - 4);
        Measure(planes, labels);
        FindBorders(planes, labels);
        for (int border = 0; border < borders.Count; border++) Enqueue(border);
        Merge();
    }

    /// <summary>Number of regions that were given.</summary>
    public int Leaves { get; }

    /// <summary>Number of nodes, 2 · Leaves - 1.</summary>
    public int Count => regions.Length;

    /// <summary>Pixels of a node.</summary>
    public int Size(int node) => regions[node].Size;

    /// <summary>The two nodes that make up a node, or -1 twice for a leaf.</summary>
    public (int First, int Second) Children(int node) => (regions[node].First, regions[node].Second);

    /// <summary>Whether a node is one of the regions when so many are left.</summary>
    public bool IsAlive(int node, int regionsLeft)
    {
        // Node n ≥ Leaves appears when 2·Leaves - 1 - n regions are left.
        int newest = Math.Max(Leaves - 1, Count - regionsLeft);
        return node <= newest && regions[node].Parent > newest;
    }

    private void Measure(PerceptualPlanes planes, ReadOnlySpan<int> labels)
    {
        for (int i = 0; i < Leaves; i++) (regions[i].First, regions[i].Second) = (-1, -1);
        for (int y = 0, i = 0; y < planes.Height; y++)
        {
            bool atEdge = y == 0 || y == planes.Height - 1;
            for (int x = 0; x < planes.Width; x++, i++)
            {
                ref var region = ref regions[labels[i]];
                region.Size++;
                region.L += planes.L[i];
                region.A += planes.A[i];
                region.B += planes.B[i];
                if (atEdge || x == 0 || x == planes.Width - 1) region.AtImageBorder++;
            }
        }
    }

    private void FindBorders(PerceptualPlanes planes, ReadOnlySpan<int> labels)
    {
        var known = new Dictionary<long, int>(4 * Leaves);
        for (int y = 0, i = 0; y < planes.Height; y++)
        {
            for (int x = 0; x < planes.Width; x++, i++)
            {
                if (x + 1 < planes.Width && labels[i] != labels[i + 1])
                    AddContact(known, labels[i], labels[i + 1], planes.Distance(i, i + 1));
                if (y + 1 < planes.Height && labels[i] != labels[i + planes.Width])
                    AddContact(known, labels[i], labels[i + planes.Width], planes.Distance(i, i + planes.Width));
            }
        }
        foreach (var border in borders)
        {
            regions[border.First].BorderCount++;
            regions[border.Second].BorderCount++;
        }
        int start = 0;
        for (int i = 0; i < Leaves; i++)
        {
            regions[i].BorderStart = start;
            start += regions[i].BorderCount;
            regions[i].BorderCount = 0;
        }
        CollectionsMarshal.SetCount(bordersOfRegions, start);
        for (int b = 0; b < borders.Count; b++)
        {
            foreach (int side in new[] { borders[b].First, borders[b].Second })
            {
                ref var region = ref regions[side];
                bordersOfRegions[region.BorderStart + region.BorderCount++] = b;
            }
        }
    }

    private void AddContact(Dictionary<long, int> known, int a, int b, float contrast)
    {
        if (a > b) (a, b) = (b, a);
        long key = (long)a << 32 | (uint)b;
        if (!known.TryGetValue(key, out int border))
        {
            known.Add(key, border = borders.Count);
            borders.Add(new Border { First = a, Second = b });
        }
        borders[border].Contrast += contrast;
        borders[border].Length++;
    }

    private void Merge()
    {
        int[] seen = new int[Count];                              // which border of the new region leads to a neighbour, + 1
        for (int node = Leaves; node < Count; node++)
        {
            int chosen = NextBorder();
            var (first, second) = (borders[chosen].First, borders[chosen].Second);
            regions[node] = Union(first, second);
            regions[first].Parent = regions[second].Parent = node;
            JoinBorders(node, first, second, seen);
        }
        regions[^1].Parent = Count;
    }

    // There is always one: an image is connected.
    private int NextBorder()
    {
        while (true)
        {
            if (!queue.TryDequeue(out int version, out ulong priority))
                throw new InvalidOperationException("The regions are not connected.");
            int border = (int)(priority & int.MaxValue);
            if (borders[border].Version == version) return border;
        }
    }

    private Region Union(int first, int second)
    {
        var (p, q) = (regions[first], regions[second]);
        return new Region
        {
            First = first,
            Second = second,
            Size = p.Size + q.Size,
            L = p.L + q.L,
            A = p.A + q.A,
            B = p.B + q.B,
            AtImageBorder = p.AtImageBorder + q.AtImageBorder,
            BorderStart = bordersOfRegions.Count,
        };
    }

    private void JoinBorders(int node, int first, int second, int[] seen)
    {
        foreach (int side in new[] { first, second })
        {
            for (int i = 0; i < regions[side].BorderCount; i++)
            {
                int index = bordersOfRegions[regions[side].BorderStart + i];
                var border = borders[index];
                if (border.Version < 0) continue;
                int other = border.First == side ? border.Second : border.First;
                if (other == first || other == second)
                {
                    border.Version = -1;                          // inside now
                }
                else if (seen[other] > 0)
                {
                    var same = borders[seen[other] - 1];
                    same.Contrast += border.Contrast;
                    same.Length += border.Length;
                    border.Version = -1;
                }
                else
                {
                    (border.First, border.Second) = (other, node);
                    seen[other] = index + 1;
                    bordersOfRegions.Add(index);
                }
            }
        }
        regions[node].BorderCount = bordersOfRegions.Count - regions[node].BorderStart;
        for (int i = regions[node].BorderStart; i < bordersOfRegions.Count; i++)
        {
            int index = bordersOfRegions[i];
            seen[borders[index].First] = 0;
            Enqueue(index);
        }
    }

    private void Enqueue(int index)
    {
        var border = borders[index];
        border.Version++;
        // The bits of positive numbers sort as the numbers do; the index makes the order of equal costs certain.
        queue.Enqueue(border.Version, (ulong)BitConverter.SingleToUInt32Bits((float)Cost(border)) << 32 | (uint)index);
    }

    // The exponents were tuned on photographs with object masks; the figures are flat around them.
    private double Cost(Border border)
    {
        ref readonly var p = ref regions[border.First];
        ref readonly var q = ref regions[border.Second];
        double l = p.L / p.Size - q.L / q.Size, a = p.A / p.Size - q.A / q.Size, b = p.B / p.Size - q.B / q.Size;
        double difference = 0.5 + Math.Sqrt(l * l + a * a + b * b) + border.Contrast / border.Length;
        double smaller = Math.Min(p.Size, q.Size);
        double contact = border.Length / Math.Sqrt(smaller);
        double bothAtImageBorder = Math.Sqrt((double)p.AtImageBorder * q.AtImageBorder) / imageBorder;       // at most a half
        double oneAtImageBorder = Math.Abs(p.AtImageBorder - q.AtImageBorder) / imageBorder;
        return difference * Math.Sqrt(smaller) * Math.Pow(contact, -0.1) * (1 - bothAtImageBorder + oneAtImageBorder);
    }

    private struct Region
    {
        public int First, Second, Parent, Size, AtImageBorder, BorderStart, BorderCount;
        public double L, A, B;                                    // sums over its pixels
    }

    private sealed class Border
    {
        public int First, Second, Length, Version;                // the version grows with each change; -1: it is gone
        public double Contrast;                                   // sum over its pixel pairs
    }
}
