using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using MaskBias.MLNet.VectorSearch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Exact search against the rate at which the same memory can be read, and what a killed writer leaves.</summary>
internal static class IndexBenchmark
{
    private const int Dimensions = 384, Writes = 1000, Kills = 20;

    public static void Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-index-").FullName;
        try
        {
            SearchAsync(output, Path.Combine(folder, "search.db")).GetAwaiter().GetResult();
            KillAsync(output, Path.Combine(folder, "killed.db")).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Writes one item after another and prints each key once it is acknowledged.</summary>
    public static int WriteUntilKilled(string path, int from)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var index = ImageIndex.OpenSqliteAsync(path, "model", Dimensions).GetAwaiter().GetResult();
        for (int i = from; i < from + Writes; i++)
        {
            index.UpsertAsync([new($"item {i}", Embedding(i))]).GetAwaiter().GetResult();
            output.WriteLine(i);
        }
        index.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return 0;
    }

    private static async Task SearchAsync(TextWriter output, string path)
    {
        const int Rows = 262_144;                   // 403 MB: far more than any cache
        await using var index = await ImageIndex.OpenSqliteAsync(path, "model", Dimensions);
        for (int first = 0; first < Rows; first += 16_384)
            await index.UpsertAsync([.. Enumerable.Range(first, 16_384).Select(i => new IndexedImage($"item {i}", Embedding(i)))]);
        float[][] memory = [.. Enumerable.Range(0, Rows / 4096).Select(i => Enumerable.Repeat(0.5f + i, 4096 * Dimensions).ToArray())];
        float sink = 0;
        float[] query = Embedding(77);
        double[] seconds = Timing.Medians(9,
            () => sink += Read(memory),
            () => index.SearchAsync(query, 10).GetAwaiter().GetResult());
        double gigabytes = 4.0 * Rows * Dimensions / 1e9;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Rows} embeddings of {Dimensions}: reading their memory {gigabytes / seconds[0]:0.0} GB/s; "
            + $"a search {seconds[1] * 1000:0.0} ms, {gigabytes / seconds[1]:0.0} GB/s: {seconds[0] / seconds[1]:0.00} of it (at least 0.5 wanted){(float.IsNaN(sink) ? "." : "")}"));
    }

    /// <summary>The fastest that both cores read memory: sums of everything in it.</summary>
    private static float Read(float[][] memory)
    {
        float[] sums = new float[memory.Length];
        Parallel.For(0, memory.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, block =>
        {
            var values = System.Runtime.InteropServices.MemoryMarshal.Cast<float, Vector<float>>(memory[block]);
            Vector<float> a = default, b = default, c = default, d = default;
            for (int i = 0; i < values.Length; i += 4) (a, b, c, d) = (a + values[i], b + values[i + 1], c + values[i + 2], d + values[i + 3]);
            sums[block] = Vector.Sum(a + b + c + d);
        });
        return sums.Sum();
    }

    private static async Task KillAsync(TextWriter output, string path)
    {
        var random = new Random(1);
        int acknowledged = 0, lost = 0, different = 0, kills = 0;
        var all = new HashSet<int>();
        for (int round = 0; round < Kills; round++)
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!, ["index-writer", path, (round * Writes).ToString(CultureInfo.InvariantCulture)])
            { RedirectStandardOutput = true };
            using var writer = Process.Start(start)!;
            int killAt = random.Next(1, Writes), seen = 0;
            while (await writer.StandardOutput.ReadLineAsync() is { } line)
            {
                all.Add(int.Parse(line, CultureInfo.InvariantCulture));
                if (++seen != killAt) continue;
                writer.Kill();                          // SIGKILL
                kills++;
            }
            await writer.WaitForExitAsync();
            acknowledged += seen;
            await using var index = await ImageIndex.OpenSqliteAsync(path, "model", Dimensions);
            foreach (int i in all)
            {
                var item = await index.FindAsync($"item {i}");
                if (item is null) lost++;
                else if (item.Embedding.Span[0] != Unit(Embedding(i))[0]) different++;
            }
        }
        output.WriteLine($"  {kills} writers killed (SIGKILL): the index opened each time; of {acknowledged} acknowledged items {lost} lost, {different} different");
    }

    private static float[] Unit(float[] values)
    {
        double scale = 1 / Math.Sqrt(values.Sum(v => (double)v * v));
        return [.. values.Select(v => (float)(v * scale))];
    }

    private static float[] Embedding(int seed)
    {
        uint state = (uint)seed * 2654435761 + 1;
        float[] values = new float[Dimensions];
        for (int i = 0; i < values.Length; i++)
        {
            state = state * 1664525 + 1013904223;
            values[i] = (state >> 8) / (float)(1 << 24) - 0.5f;
        }
        return values;
    }
}
