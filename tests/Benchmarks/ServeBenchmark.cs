using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.Extensions.DependencyInjection;
using SkiaSharp;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>A served ViT-Ti/16 at 224 under 64 clients that each ask again when they have their answer, against the same work offline.</summary>
internal static class ServeBenchmark
{
    private const int Clients = 64, BatchSize = 8;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(60), OfflineDuration = TimeSpan.FromSeconds(20);

    public static void Run(TextWriter output) => RunAsync(output).GetAwaiter().GetResult();

    /// <summary>Only the replacements, for long enough to see whether memory levels off.</summary>
    public static void RunReloads(TextWriter output) => InFolder(async (path, other, photos) =>
        await Load(output, path, photos, Offline(path, photos), TimeSpan.FromSeconds(90), reloadFrom: other)).GetAwaiter().GetResult();

    private static Task RunAsync(TextWriter output) => InFolder(async (path, other, photos) =>
    {
        Reloads(output, path);
        double before = Offline(path, photos);
        await Load(output, path, photos, before, Duration, reloadFrom: null);
        double after = Offline(path, photos);
        output.WriteLine(Text($"  offline again afterwards: {after:0.0} images/s ({after / before:0.00} of before)"));
    });

    private static async Task InFolder(Func<string, string, byte[][], Task> measure)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-serve-").FullName;
        try
        {
            string path = Path.Combine(folder, "encoder.onnx"), other = Path.Combine(folder, "other.onnx");
            Export(path, seed: 1);
            Export(other, seed: 2);
            await measure(path, other, [.. Enumerable.Range(0, 32).Select(Photo)]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Load(TextWriter output, string path, byte[][] photos, double offline, TimeSpan duration, string? reloadFrom)
    {
        await using var app = new ServiceCollection()
            .AddMaskBiasEmbeddings(o => (o.ModelPath, o.MaxBatchSize, o.ReloadInterval) = (path, BatchSize, TimeSpan.FromMilliseconds(200)))
            .BuildServiceProvider();
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var latencies = new ConcurrentBag<double>();
        var models = new ConcurrentDictionary<string, int>();
        int faults = 0;
        long end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var clock = Stopwatch.StartNew();
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            for (int i = client; Stopwatch.GetTimestamp() < end; i++)
            {
                long start = Stopwatch.GetTimestamp();
                try
                {
                    var (_, id) = await embedder.EmbedAsync(ImageInput.FromBytes(photos[i % photos.Length]));
                    latencies.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                    models.AddOrUpdate(id, 1, (_, n) => n + 1);
                }
                catch (Exception)
                {
                    Interlocked.Increment(ref faults);
                }
            }
        })).ToArray();
        var all = Task.WhenAll(clients);
        var memory = new List<double>();
        int swaps = 0;
        string copy = path + ".copy";
        File.Copy(path, copy, overwrite: true);
        while (await Task.WhenAny(all, Task.Delay(2000)) != all)
        {
            memory.Add(Environment.WorkingSet / 1e6);
            if (reloadFrom is null) continue;
            File.Copy(swaps++ % 2 == 0 ? reloadFrom : copy, path + ".new", overwrite: true);
            File.SetLastWriteTimeUtc(path + ".new", DateTime.UtcNow);
            File.Move(path + ".new", path, overwrite: true);
        }
        double seconds = clock.Elapsed.TotalSeconds, rate = latencies.Count / seconds;
        double[] sorted = [.. latencies.Order()];
        double p50 = sorted[sorted.Length / 2], p99 = sorted[(int)(sorted.Length * 0.99)], fair = Clients / rate;
        string title = reloadFrom is null ? "64 clients" : $"64 clients, file replaced {swaps} times, {models.Count} models answered";
        output.WriteLine(Text($"  {title}: {sorted.Length} answers in {seconds:0} s, {faults} failed; {rate:0.0} images/s against {offline:0.0} offline: "
            + $"{rate / offline:0.00} (at least 0.9 wanted); median {p50 * 1000:0} ms, p99 {p99 * 1000:0} ms = {p99 / fair:0.00} of 64/throughput (at most 1.5 wanted); "
            + $"memory {memory[memory.Count / 6]:0} MB early, {memory[^1]:0} MB at the end, {memory.Max():0} MB at most"));
        if (reloadFrom is not null) output.WriteLine($"  memory every 10 s: {string.Join(", ", memory.Chunk(5).Select(m => Text($"{m[^1]:0}")))} MB");
    }

    /// <summary>What loading and releasing a model leaves in memory.</summary>
    private static void Reloads(TextWriter output, string path)
    {
        var memory = new List<string>();
        for (int i = 1; i <= 60; i++)
        {
            ServedModel.Load(path, threads: null).Release();
            if (i % 15 != 0) continue;
            GC.Collect();
            memory.Add($"{Environment.WorkingSet / 1e6:0} MB after {i}");
        }
        output.WriteLine($"  memory after loading and releasing the model: {string.Join(", ", memory)} times");
    }

    /// <summary>The same decoding and batches with nobody waiting: both cores decode a batch, then both compute it.</summary>
    private static double Offline(string path, byte[][] photos)
    {
        var model = ServedModel.Load(path, threads: null);
        int length = 3 * model.ImageSize * model.ImageSize, count = 0;
        float[] pixels = new float[BatchSize * length];
        var clock = Stopwatch.StartNew();
        for (; clock.Elapsed < OfflineDuration; count += BatchSize)
        {
            int first = count;
            Parallel.For(0, BatchSize, i =>
            {
                using var bitmap = ImageDecoder.DecodeBitmap(photos[(first + i) % photos.Length], "photo", applyOrientation: false);
                model.Resize(bitmap, pixels.AsSpan(i * length, length));
            });
            model.Run(pixels, BatchSize);
        }
        double rate = count / clock.Elapsed.TotalSeconds;
        model.Release();
        return rate;
    }

    private static void Export(string path, long seed)
    {
        using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Tiny(), seed));
        OnnxEncoder.Export(encoder, path);
    }

    private static byte[] Photo(int seed)
    {
        var random = new Random(seed);
        using var bitmap = new SKBitmap(320, 240);
        using var canvas = new SKCanvas(bitmap);
        using var paint = new SKPaint();
        for (int i = 0; i < 60; i++)
        {
            paint.Color = new SKColor((uint)random.Next() | 0xFF000000);
            canvas.DrawCircle(random.Next(320), random.Next(240), random.Next(5, 60), paint);
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        return data.ToArray();
    }

    private static string Text(DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
