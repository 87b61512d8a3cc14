using System.Diagnostics;
using System.Diagnostics.Metrics;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Extensions.Serving;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Images;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace MaskBias.MLNet.Tests.Extensions;

/// <summary>What one request means for others: how long it waits for them, and what they lose when it fails.</summary>
public sealed class ServedRequestsTests(ServedModels models) : IClassFixture<ServedModels>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_first_of_a_batch_does_not_wait_for_image_after_image()
    {
        const int Batch = 16;
        await using var app = Serve(o => (o.MaxBatchDelay, o.MaxBatchSize) = (TimeSpan.FromMilliseconds(600), Batch));
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var image = ImageInput.FromBytes(SampleImages.Shape(1, 1));
        var calls = new List<Task> { embedder.EmbedAsync(image) };
        while (!calls[0].IsCompleted && calls.Count < Batch)
        {
            await Task.Delay(150);
            calls.Add(embedder.EmbedAsync(image));
        }
        await Task.WhenAll(calls).WaitAsync(Limit);
        Assert.True(calls.Count < Batch, "The first image was answered when its batch was full.");
    }

    [Fact]
    public async Task The_first_failure_of_a_list_ends_it()
    {
        var outcomes = new List<string>();
        await using var app = Serve(o => o.MaxConcurrentDecodes = 1);               // so that the first image is decoded first
        using var listener = ListenToDurations(app, outcome => { lock (outcomes) outcomes.Add(outcome); });
        var generator = app.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        byte[] good = SampleImages.Shape(1, 1);
        var images = Enumerable.Range(0, 500).Select(i => new DataContent(i == 0 ? good.AsMemory(0, good.Length / 2) : good, "image/png"));
        var fault = await Assert.ThrowsAsync<ImageReadException>(() => generator.GenerateAsync(images));
        Assert.Contains("image 0", fault.Message);
        lock (outcomes)
        {
            Assert.Contains("unreadable", outcomes);
            Assert.True(outcomes.Count < 100, $"{outcomes.Count} of 500 images were asked for: {string.Join(", ", outcomes.CountBy(o => o))}");
        }
    }

    [Fact]
    public async Task A_cancelled_list_says_by_whom()
    {
        await using var app = Serve();
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        DataContent image = new(SampleImages.Shape(1, 1), "image/png");
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => app.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>().GenerateAsync([image], null, cancel.Token));
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_keep_disposal_waiting()
    {
        var app = Serve();
        var embedder = app.GetRequiredService<IImageEmbedder>();
        var image = ImageInput.FromBytes(SampleImages.Shape(1, 1));
        var isMine = new AsyncLocal<bool>();                                        // other tests of this process have activities, too
        using (var activities = new ActivityListener())
        {
            activities.ShouldListenTo = source => source.Name == MaskBiasServiceCollectionExtensions.TelemetryName;
            activities.Sample = (ref ActivityCreationOptions<ActivityContext> _) => isMine.Value ? throw new NotSupportedException("activity") : default;
            ActivitySource.AddActivityListener(activities);
            isMine.Value = true;
            Assert.Equal("activity", (await Assert.ThrowsAsync<NotSupportedException>(() => embedder.EmbedAsync(image))).Message);
            isMine.Value = false;
        }
        using (ListenToDurations(app, _ => throw new NotSupportedException("duration")))
            Assert.Equal("duration", (await Assert.ThrowsAsync<NotSupportedException>(() => embedder.EmbedAsync(image))).Message);
        await app.DisposeAsync().AsTask().WaitAsync(Limit);
    }

    private static MeterListener ListenToDurations(ServiceProvider app, Action<string> finished)
    {
        _ = app.GetRequiredService<ImageEmbeddingService>();
        var own = app.GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (i, l) => { if (i.Name == "maskbias.request.duration" && i.Meter.Scope == own) l.EnableMeasurementEvents(i); },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => finished((string)tags[0].Value!));
        listener.Start();
        return listener;
    }

    private ServiceProvider Serve(Action<MaskBiasEmbeddingOptions>? configure = null) =>
        new ServiceCollection().AddMetrics().AddMaskBiasEmbeddings(o =>
        {
            (o.ModelPath, o.ComputeThreads) = (models.Onnx, 1);
            configure?.Invoke(o);
        }).BuildServiceProvider();
}
