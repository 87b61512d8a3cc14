using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Extensions.Serving;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Images;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Extensions;

public sealed class ServingTests(ServedModels models) : IClassFixture<ServedModels>
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task It_gives_the_numbers_and_labels_of_the_saved_model_in_ML_NET(bool nearestNeighbors)
    {
        string path = nearestNeighbors ? models.NearestNeighbors : models.Classifier;
        await using var app = Serve(path);
        var ml = new MLContext(1);
        var view = ml.Model.Load(path, out _).Transform(models.Photos.Load(ml));
        var expected = ml.Data.CreateEnumerable<ShapePhotos.Prediction>(view, reuseRowObject: false, ignoreMissingColumns: true).ToArray();
        var classifier = app.GetRequiredService<IImageClassifier>();
        Assert.Equal(SampleImages.Classes, classifier.Classes.Order());

        var answers = await Task.WhenAll(models.Photos.Rows.Select(r => classifier.ClassifyAsync(ImageInput.FromBytes(r.Encoded))));
        for (int i = 0; i < expected.Length; i++)
        {
            AssertClose(expected[i].Features, answers[i].Features.ToArray());
            AssertClose(expected[i].Score, [.. answers[i].Probabilities.Select(p => p.Value)]);
            Assert.Equal(expected[i].PredictedLabel, answers[i].Label);
            Assert.Equal(app.GetRequiredService<IImageEmbedder>().ModelId, answers[i].ModelId);
        }
        Assert.True(answers.Select(a => a.Label).Distinct().Count() > 1);
    }

    [Fact]
    public async Task Bytes_streams_files_and_images_give_the_same()
    {
        await using var app = Serve(models.Onnx);
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var row = models.Photos.Rows[3];
        using var image = MLImage.CreateFromFile(row.ImagePath);
        using var stream = new MemoryStream(row.Encoded);
        var (expected, id) = await embedder.EmbedAsync(ImageInput.FromBytes(row.Encoded));
        Assert.Equal(embedder.ModelId, id);
        foreach (var input in new[] { ImageInput.FromStream(stream), ImageInput.FromFile(row.ImagePath), ImageInput.FromImage(image) })
            AssertClose(expected, (await embedder.EmbedAsync(input)).Features);
    }

    [Fact]
    public async Task The_generator_says_what_it_is_and_keeps_the_order()
    {
        await using var app = Serve(models.Embedder, o => o.QueueCapacity = 2);
        var generator = app.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        var about = (EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!;
        Assert.Equal(24, about.DefaultModelDimensions);
        Assert.StartsWith("sha256-", about.DefaultModelId);
        var all = await generator.GenerateAsync(models.Photos.Rows.Select(r => new DataContent(r.Encoded, "image/png")));
        for (int i = 0; i < all.Count; i++)
        {
            var one = await generator.GenerateAsync([new DataContent(models.Photos.Rows[i].Encoded, "image/png")]);
            AssertClose(one[0].Vector.ToArray(), all[i].Vector.ToArray());
            Assert.Equal(about.DefaultModelId, all[i].ModelId);
        }
        await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync([], new() { Dimensions = 7 }));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => app.GetRequiredService<IImageClassifier>().ClassifyAsync(ImageInput.FromBytes(models.Photos.Rows[0].Encoded)));
        Assert.Contains("has no classifier", refused.Message);
    }

    [Fact]
    public async Task A_host_does_not_start_with_options_or_a_model_that_cannot_be_served()
    {
        Assert.Contains("MaxBatchSize is 0; it must lie in [1, 256].", await StartFault(models.Onnx, o => o.MaxBatchSize = 0));
        Assert.Contains("'nowhere.zip' does not exist", await StartFault("nowhere.zip"));
        Assert.Contains("holds no ONNX graph", await StartFault(models.WithoutEncoder));
        Assert.Contains("is neither an ML.NET model", await StartFault(models.Photos.Rows[0].ImagePath));
        Assert.Contains("is a folder", await StartFault(models.Photos.Path));
        string damaged = models.In("damaged.onnx");
        File.WriteAllBytes(damaged, File.ReadAllBytes(models.Onnx)[..5000]);
        Assert.Contains("cannot be served", await StartFault(damaged));
    }

    [Fact]
    public async Task Images_too_large_or_damaged_are_refused_and_others_go_on()
    {
        await using var app = Serve(models.Onnx, o => (o.MaxImageBytes, o.MaxImagePixels) = (20_000, 64 * 64));
        var embedder = app.GetRequiredService<IImageEmbedder>();
        byte[] good = SampleImages.Shape(0, 1);
        byte[] noise = SampleImages.Noise(100, 100, SKEncodedImageFormat.Png), wide = SampleImages.Shape(0, 1, width: 65, height: 64);
        await Refused(ImageInput.FromBytes(noise), "bytes or more; an image may have at most 20000");
        await Refused(ImageInput.FromStream(new MemoryStream(noise)), "bytes or more; an image may have at most 20000");
        await Refused(ImageInput.FromBytes(wide), "is 65x64; an image may have at most 4096 pixels");
        await Refused(ImageInput.FromBytes(good.AsMemory(0, good.Length / 2)), "truncated");
        await Refused(ImageInput.FromBytes("no image"u8.ToArray(), "upload"), "upload (8 bytes) is not an image");
        await Refused(ImageInput.FromFile("/no/such/file.png"), "cannot be read");
        Assert.Equal(24, (await embedder.EmbedAsync(ImageInput.FromBytes(good))).Features.Length);

        async Task Refused(ImageInput image, string message) =>
            Assert.Contains(message, (await Assert.ThrowsAsync<ImageReadException>(() => embedder.EmbedAsync(image))).Message);
    }

    [Fact]
    public async Task Concurrent_calls_are_computed_together()
    {
        var sizes = new List<int>();
        await using var app = Serve(models.Onnx, o => (o.MaxBatchDelay, o.MaxBatchSize) = (TimeSpan.FromMilliseconds(200), 6));
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var own = app.GetRequiredService<IMeterFactory>();               // other tests of this process serve, too
        using var listener = new MeterListener();
        listener.InstrumentPublished = (i, l) => { if (i.Name == "maskbias.batch.size" && i.Meter.Scope == own) l.EnableMeasurementEvents(i); };
        listener.SetMeasurementEventCallback<int>((_, size, _, _) => { lock (sizes) sizes.Add(size); });
        listener.Start();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => embedder.EmbedAsync(ImageInput.FromBytes(SampleImages.Shape(i % 3, i)))));
        lock (sizes) Assert.Contains(6, sizes);
    }

    [Fact]
    public async Task A_full_queue_refuses_or_makes_wait_and_a_waiting_call_can_be_cancelled()
    {
        await using var rejecting = Serve(models.Onnx, o => (o.QueueCapacity, o.WhenFull) = (1, QueueFullMode.Reject));
        await using var waiting = Serve(models.Onnx, o => o.QueueCapacity = 1);
        foreach (var (app, rejects) in new[] { (rejecting, true), (waiting, false) })
        {
            var embedder = app.GetRequiredService<IImageEmbedder>();
            using var slow = new SlowStream(SampleImages.Shape(1, 1));
            var first = embedder.EmbedAsync(ImageInput.FromStream(slow));
            using var cancel = new CancellationTokenSource();
            var second = embedder.EmbedAsync(ImageInput.FromBytes(SampleImages.Shape(0, 1)), cancel.Token);
            if (rejects) await Assert.ThrowsAsync<EmbeddingQueueFullException>(() => second);
            else
            {
                Assert.False(second.IsCompleted);
                var health = await app.GetRequiredService<HealthCheckService>().CheckHealthAsync();
                Assert.Equal(HealthStatus.Degraded, health.Status);
                cancel.Cancel();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
            }
            slow.Open();
            Assert.Equal(24, (await first).Features.Length);
            Assert.Equal(24, (await embedder.EmbedAsync(ImageInput.FromBytes(SampleImages.Shape(0, 1)))).Features.Length);
        }
    }

    [Fact]
    public async Task Decoded_images_hold_their_places_even_when_their_callers_have_gone()
    {
        const string Key = "held up";
        using var resume = new ManualResetEventSlim();
        using var listener = new MeterListener();          // holds the batcher up in its first batch
        listener.InstrumentPublished = (i, l) =>
        {
            if (i.Name == "maskbias.batch.size" && i.Meter.Tags?.Contains(new("maskbias.key", Key)) == true) l.EnableMeasurementEvents(i);
        };
        listener.SetMeasurementEventCallback<int>((_, _, _, _) => resume.Wait());
        listener.Start();
        await using var app = new ServiceCollection().AddKeyedMaskBiasEmbeddings(Key, o => o.ModelPath = models.Onnx).BuildServiceProvider();
        var service = app.GetRequiredKeyedService<ImageEmbeddingService>(Key);
        var image = ImageInput.FromBytes(SampleImages.Shape(1, 1));
        var first = service.EmbedAsync(image);
        try
        {
            bool hold = false;
            // One that was not decoded yet lets go: then it gets more time.
            for (int delay = 100; !hold && delay <= 6400; delay *= 4)
            {
                int before = service.Held;
                using var cancel = new CancellationTokenSource();
                var gone = Enumerable.Range(0, 2).Select(_ => service.EmbedAsync(image, cancel.Token)).ToArray();
                await Task.Delay(delay);
                cancel.Cancel();
                foreach (var call in gone) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
                hold = service.Held == before + gone.Length;
            }
            Assert.True(hold, "Who has gone makes room for others, though his image is still there.");
        }
        finally
        {
            resume.Set();
        }
        Assert.Equal(24, (await first).Features.Length);
        for (int tries = 0; service.Held > 0 && tries < 200; tries++) await Task.Delay(50);
        Assert.Equal(0, service.Held);
    }

    [Fact]
    public async Task One_after_the_other_are_never_refused_by_a_queue_of_one()
    {
        await using var app = Serve(models.Onnx, o => (o.QueueCapacity, o.WhenFull) = (1, QueueFullMode.Reject));
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var image = ImageInput.FromBytes(SampleImages.Shape(1, 1));
        for (int i = 0; i < 100; i++) Assert.Equal(24, (await embedder.EmbedAsync(image)).Features.Length);
    }

    [Fact]
    public async Task Disposal_answers_what_was_taken_and_refuses_what_comes_after()
    {
        var app = Serve(models.Onnx);
        var embedder = app.GetRequiredService<IImageEmbedder>();
        using var slow = new SlowStream(SampleImages.Shape(1, 1));
        var taken = embedder.EmbedAsync(ImageInput.FromStream(slow));
        var disposal = app.DisposeAsync().AsTask();
        await Task.Delay(50);
        Assert.False(disposal.IsCompleted);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => embedder.EmbedAsync(ImageInput.FromBytes(SampleImages.Shape(1, 1))));
        slow.Open();
        Assert.Equal(24, (await taken).Features.Length);
        await disposal;
    }

    [Fact]
    public async Task A_changed_file_is_loaded_under_load_without_a_failed_request_and_a_bad_one_changes_nothing()
    {
        string path = models.In("changing.onnx");
        File.Copy(models.Onnx, path, overwrite: true);
        await using var app = Serve(path, o => o.ReloadInterval = TimeSpan.FromMilliseconds(20));
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var image = ImageInput.FromBytes(SampleImages.Shape(2, 5));
        var (old, oldId) = await embedder.EmbedAsync(image);
        using var stop = new CancellationTokenSource();
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, float[]>();
        var clients = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var (features, id) = await embedder.EmbedAsync(image);
                AssertClose(seen.GetOrAdd(id, features), features);          // each answer is of the model that it names
            }
        })).ToArray();

        foreach (string next in new[] { models.OtherOnnx, models.Onnx, models.OtherOnnx })
        {
            string before = embedder.ModelId;
            File.Copy(next, path + ".new", overwrite: true);
            File.SetLastWriteTimeUtc(path + ".new", DateTime.UtcNow);
            File.Move(path + ".new", path, overwrite: true);
            await Until(() => embedder.ModelId != before);
        }
        File.WriteAllText(path, "no model");
        var health = app.GetRequiredService<HealthCheckService>();
        await Until(() => health.CheckHealthAsync().Result.Status == HealthStatus.Degraded);
        await Task.Delay(50);
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Equal(2, seen.Count);
        AssertClose(old, seen[oldId]);
        Assert.NotEqual(oldId, embedder.ModelId);
    }

    [Fact]
    public async Task Onnx_Runtime_reports_to_nobody()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Here the process's own environment is asked for.");
        await using var app = Serve(models.Onnx);
        await app.GetRequiredService<IImageEmbedder>().EmbedAsync(ImageInput.FromBytes(SampleImages.Shape(0, 1)));
        const string Variable = "ORT_DISABLE_TELEMETRY";
        Assert.Equal(Environment.GetEnvironmentVariable(Variable) ?? "1", Marshal.PtrToStringUTF8(GetEnvironment(Variable)));
    }

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi)]
    private static extern nint GetEnvironment(string name);

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++) await Task.Delay(10);
        Assert.True(condition());
    }

    private static ServiceProvider Serve(string path, Action<MaskBiasEmbeddingOptions>? configure = null) =>
        new ServiceCollection().AddMetrics().AddMaskBiasEmbeddings(o =>
        {
            (o.ModelPath, o.ComputeThreads) = (path, 1);
            configure?.Invoke(o);
        }).BuildServiceProvider();

    private static async Task<string> StartFault(string path, Action<MaskBiasEmbeddingOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddMaskBiasEmbeddings(o =>
        {
            o.ModelPath = path;
            configure?.Invoke(o);
        });
        using var host = builder.Build();
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());
        Assert.True(fault is OptionsValidationException or InvalidDataException, fault.ToString());
        return fault.Message;
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f);
    }
}
