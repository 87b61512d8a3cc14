using System.Numerics;
using System.Runtime.InteropServices;
using MaskBias.MLNet.VectorSearch.Stores;

namespace MaskBias.MLNet.VectorSearch;

/// <summary>Embeddings of length 1 in memory, in blocks of rows that searches read from end to end.</summary>
internal sealed class EmbeddingTable(int dimensions)
{
    private const int BlockRows = 4096;

    private readonly ReaderWriterLockSlim access = new();
    private readonly Dictionary<string, int> rows = new(StringComparer.Ordinal);
    private readonly List<(string Key, IReadOnlyDictionary<string, string> Metadata)> items = [];
    private readonly List<float[]> blocks = [];             // [BlockRows, D] each
    private int dimensions = dimensions;

    public void Upsert(IEnumerable<StoredItem> added) => Change(() =>
    {
        foreach (var item in added) Put(item);
    });

    /// <summary>The last row takes the place of a removed one.</summary>
    public void Remove(IEnumerable<string> keys) => Change(() =>
    {
        foreach (string key in keys)
        {
            if (!rows.Remove(key, out int row)) continue;
            int last = items.Count - 1;
            if (row != last)
            {
                Row(last).CopyTo(Row(row));
                items[row] = items[last];
                rows[items[row].Key] = row;
            }
            items.RemoveAt(last);
        }
    });

    public void Reset(int newDimensions, IEnumerable<StoredItem> added) => Change(() =>
    {
        rows.Clear();
        items.Clear();
        blocks.Clear();
        dimensions = newDimensions;
        foreach (var item in added) Put(item);
    });

    /// <summary>The rows of the largest dot products with a vector of length 1; all cores share the blocks of a large table.</summary>
    public SearchHit[] Search(float[] unit, int count, IReadOnlyDictionary<string, string>? filter, CancellationToken cancel)
    {
        access.EnterReadLock();
        try
        {
            if (unit.Length != dimensions) throw new InvalidOperationException("The index was rebuilt for another model meanwhile.");
            var best = new PriorityQueue<int, (float Similarity, string Key)>(Comparer);
            var merge = new Lock();
            int used = (items.Count + BlockRows - 1) / BlockRows;
            Parallel.For(0, used, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, block =>
            {
                var own = SearchBlock(block, unit, count, filter);
                lock (merge)
                {
                    foreach (var (row, rank) in own.UnorderedItems) Keep(best, row, rank, count);
                }
            });
            var hits = new SearchHit[best.Count];
            for (int i = hits.Length - 1; i >= 0; i--)
            {
                best.TryDequeue(out int row, out var rank);
                hits[i] = new(items[row].Key, Math.Clamp(rank.Similarity, -1, 1), items[row].Metadata);
            }
            return hits;
        }
        finally
        {
            access.ExitReadLock();
        }
    }

    private static readonly IComparer<(float Similarity, string Key)> Comparer = Comparer<(float Similarity, string Key)>.Create(
        (a, b) => a.Similarity != b.Similarity ? a.Similarity.CompareTo(b.Similarity) : string.CompareOrdinal(b.Key, a.Key));

    private PriorityQueue<int, (float, string)> SearchBlock(int block, float[] unit, int count, IReadOnlyDictionary<string, string>? filter)
    {
        var best = new PriorityQueue<int, (float Similarity, string Key)>(Comparer);
        int first = block * BlockRows, end = Math.Min(items.Count, first + BlockRows);
        ReadOnlySpan<float> values = blocks[block];
        float worst = float.NegativeInfinity;               // of those kept, once they are complete
        for (int row = first; row < end; row++)
        {
            float similarity = Dot(values.Slice((row - first) * dimensions, dimensions), unit);
            if (similarity < worst || (filter is not null && !HasAll(items[row].Metadata, filter))) continue;
            Keep(best, row, (similarity, items[row].Key), count);
            if (best.Count == count && best.TryPeek(out _, out var last)) worst = last.Similarity;
        }
        return best;
    }

    private static bool HasAll(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, string> filter)
    {
        foreach (var (name, wanted) in filter)
        {
            if (!metadata.TryGetValue(name, out var value) || value != wanted) return false;
        }
        return true;
    }

    private static void Keep(PriorityQueue<int, (float Similarity, string Key)> best, int row, (float Similarity, string Key) rank, int count)
    {
        if (best.Count < count) best.Enqueue(row, rank);
        else if (best.TryPeek(out _, out var worst) && Comparer.Compare(rank, worst) > 0) best.EnqueueDequeue(row, rank);
    }

    // Four sums that do not wait for one another; both spans are of one length.
    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (b.Length < a.Length) throw new ArgumentException("The vectors differ in length.");
        ref float x = ref MemoryMarshal.GetReference(a), y = ref MemoryMarshal.GetReference(b);
        nuint width = (nuint)Vector<float>.Count, length = (nuint)a.Length, i = 0;
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (; i + 4 * width <= length; i += 4 * width)
        {
            s0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i), Vector.LoadUnsafe(ref y, i), s0);
            s1 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i + width), Vector.LoadUnsafe(ref y, i + width), s1);
            s2 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i + 2 * width), Vector.LoadUnsafe(ref y, i + 2 * width), s2);
            s3 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i + 3 * width), Vector.LoadUnsafe(ref y, i + 3 * width), s3);
        }
        for (; i + width <= length; i += width) s0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i), Vector.LoadUnsafe(ref y, i), s0);
        float sum = Vector.Sum(s0 + s1 + (s2 + s3));
        for (int rest = (int)i; rest < a.Length; rest++) sum += a[rest] * b[rest];
        return sum;
    }

    private void Put(StoredItem item)
    {
        if (!rows.TryGetValue(item.Key, out int row))
        {
            row = items.Count;
            if (row / BlockRows == blocks.Count) blocks.Add(new float[BlockRows * dimensions]);
            rows.Add(item.Key, row);
            items.Add((item.Key, item.Metadata));
        }
        items[row] = (item.Key, item.Metadata);
        item.Unit.CopyTo(Row(row));
    }

    private Span<float> Row(int row) => blocks[row / BlockRows].AsSpan(row % BlockRows * dimensions, dimensions);

    private void Change(Action change)
    {
        access.EnterWriteLock();
        try
        {
            change();
        }
        finally
        {
            access.ExitWriteLock();
        }
    }
}
