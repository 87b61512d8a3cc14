using System.Collections.Concurrent;
using System.Diagnostics;
using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.Extensions.DependencyInjection;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Damaged, foreign and oversized images, and bodies that stall, to a served model by 16 clients at once.</summary>
internal static class HostileBenchmark
{
    private const string Folder = "../shared/data/odd-images";
    private const int Uploads = 10_000;

    public static void Run(TextWriter output) => RunAsync(output).GetAwaiter().GetResult();

    private static async Task RunAsync(TextWriter output)
    {
        if (!Directory.Exists(Folder))
        {
            output.WriteLine($"  {Folder} is not there: start from the repository's root, beside ../shared.");
            return;
        }
        var damage = new ImageDamage(ImageDamage.Seeds(Folder), most: 2 << 20);                         // some too long
        string model = Path.Combine(Directory.CreateTempSubdirectory("maskbias-hostile-").FullName, "encoder.onnx");
        using (var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 32, PatchSize = 8, EmbedDim = 24, Depth = 2, Heads = 3 }, seed: 1)))
            OnnxEncoder.Export(encoder, model);
        await UploadAsync(output, model, damage, QueueFullMode.Wait, Uploads);
        await UploadAsync(output, model, damage, QueueFullMode.Reject, Uploads / 10);
        output.WriteLine($"  memory at the end {Environment.WorkingSet / 1e6:0} MB");
        Directory.Delete(Path.GetDirectoryName(model)!, recursive: true);
    }

    private static async Task UploadAsync(TextWriter output, string model, ImageDamage damage, QueueFullMode whenFull, int uploads)
    {
        await using var app = new ServiceCollection()
            .AddMaskBiasEmbeddings(o => (o.ModelPath, o.MaxImageBytes, o.MaxImagePixels, o.QueueCapacity, o.WhenFull) = (model, 1 << 20, 4_000_000, 12, whenFull))
            .BuildServiceProvider();
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var outcomes = new ConcurrentDictionary<string, int>();
        var clock = Stopwatch.StartNew();
        await Parallel.ForAsync(0, uploads, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(i % 50 == 0 ? 20 : 60_000));
            string outcome;
            try
            {
                await embedder.EmbedAsync(ImageInput.FromStream(i % 50 == 0 ? new StalledBody() : new MemoryStream(damage.Make(i))), patience.Token);
                outcome = "embedded";
            }
            catch (Exception e)
            {
                outcome = e switch
                {
                    ImageReadException => "refused as unreadable",
                    EmbeddingQueueFullException => "refused by a full queue",
                    OperationCanceledException => "given up (stalled body)",
                    _ => $"FAULT {e.GetType().Name}: {e.Message}",
                };
            }
            outcomes.AddOrUpdate(outcome, 1, (_, n) => n + 1);
        });
        string list = string.Join("; ", outcomes.OrderByDescending(o => o.Value).Select(o => $"{o.Value} {o.Key}"));
        output.WriteLine($"  {uploads} uploads, {(whenFull == QueueFullMode.Wait ? "waiting" : "refused")} when the queue is full, "
            + $"in {clock.Elapsed.TotalSeconds:0} s: {list}");
    }

    private sealed class StalledBody : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
