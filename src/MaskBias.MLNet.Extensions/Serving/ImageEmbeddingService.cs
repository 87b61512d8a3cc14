using System.Diagnostics;
using System.Diagnostics.Metrics;
using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Images;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>Serves one model: bounds, decodes, batches, computes. Disposal ends when every request that was taken has its answer.</summary>
internal sealed partial class ImageEmbeddingService
    : IImageEmbedder, IImageClassifier, IEmbeddingGenerator<DataContent, Embedding<float>>, IAsyncDisposable
{
    private readonly MaskBiasEmbeddingOptions options;
    private readonly ILogger log;
    private readonly ServingTelemetry telemetry;
    private readonly ModelHolder models;
    private readonly Batcher batcher;
    private readonly SemaphoreSlim places;          // the queue's, from admission until the batcher is done
    private readonly SemaphoreSlim decoders;
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private int requests;
    private bool isClosed;

    public ImageEmbeddingService(
        MaskBiasEmbeddingOptions options, ILogger<ImageEmbeddingService> log, IMeterFactory? meters, string? serviceKey)
    {
        (this.options, this.log) = (options, log);
        places = new(this.options.QueueCapacity);
        decoders = new(this.options.MaxConcurrentDecodes);
        telemetry = new(meters, serviceKey, () => this.options.QueueCapacity - places.CurrentCount);
        models = new(this.options, telemetry, log);
        batcher = new(this.options.MaxBatchSize, this.options.MaxBatchDelay, telemetry);
    }

    public int Dimensions => models.Current.Dimensions;

    public string ModelId => models.Current.Id;

    public IReadOnlyList<string> Classes => models.Current.Classes;

    public string? ReloadFault => models.ReloadFault;

    public int Held => options.QueueCapacity - places.CurrentCount;

    public int Capacity => options.QueueCapacity;

    public async Task<(float[] Features, string ModelId)> EmbedAsync(ImageInput image, CancellationToken cancellationToken = default)
    {
        var result = await RequestAsync(image, cancellationToken).ConfigureAwait(false);
        return (result.Features, result.ModelId);
    }

    public async Task<ImageClass> ClassifyAsync(ImageInput image, CancellationToken cancellationToken = default)
    {
        if (Classes.Count == 0)
            throw new InvalidOperationException($"The model '{options.ModelPath}' has no classifier: it only embeds. Train one on its features and save both.");
        var result = await RequestAsync(image, cancellationToken).ConfigureAwait(false);
        return result.Class ?? throw new InvalidOperationException($"The model '{options.ModelPath}' has no classifier any more.");
    }

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.Dimensions is { } asked && asked != Dimensions)
            throw new ArgumentException($"Dimensions is {asked}; this model's embeddings have {Dimensions}.", nameof(options));
        // No more at once than fill two batches, so that one long list neither fills the queue nor is refused by it.
        using var ahead = new SemaphoreSlim(Math.Min(2 * this.options.MaxBatchSize, this.options.QueueCapacity));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        DataContent[] images = [.. values];
        try
        {
            var results = await Task.WhenAll(images.Select(EmbedNextAsync)).ConfigureAwait(false);
            return new(results.Select(r => new Embedding<float>(r.Features) { ModelId = r.ModelId, CreatedAt = DateTimeOffset.UtcNow }));
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }

        async Task<ServedResult> EmbedNextAsync(DataContent content, int index)
        {
            await ahead.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                stop.Token.ThrowIfCancellationRequested();              // a place that a cancelled one has left comes without looking at it
                return await RequestAsync(ImageInput.FromBytes(content.Data, content.Name ?? $"image {index}"), stop.Token).ConfigureAwait(false);
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);         // of all tasks, the one that failed gives the error
                throw;
            }
            finally
            {
                ahead.Release();
            }
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata("maskbias", defaultModelId: ModelId, defaultModelDimensions: Dimensions);
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (isClosed) return;
            isClosed = true;
            if (requests == 0) drained.TrySetResult();
        }
        await drained.Task.ConfigureAwait(false);
        await batcher.DrainAsync().ConfigureAwait(false);
        await models.DisposeAsync().ConfigureAwait(false);
        telemetry.Dispose();
        places.Dispose();
        decoders.Dispose();
    }

    private async Task<ServedResult> RequestAsync(ImageInput image, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(image);
        Enter();
        try
        {
            return await TracedAsync(image, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Leave();            // even where a listener to telemetry throws: disposal waits for it
        }
    }

    private async Task<ServedResult> TracedAsync(ImageInput image, CancellationToken cancellation)
    {
        using var activity = ServingTelemetry.Activities.StartActivity("maskbias.embed");
        long start = Stopwatch.GetTimestamp();
        string outcome = "error";
        try
        {
            var result = await QueueAsync(image, cancellation).ConfigureAwait(false);
            activity?.SetTag("maskbias.model.id", result.ModelId);
            outcome = "ok";
            return result;
        }
        catch (Exception e)
        {
            outcome = e switch
            {
                ImageReadException => "unreadable",
                EmbeddingQueueFullException => "refused",
                OperationCanceledException => "cancelled",
                _ => "error",
            };
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            if (outcome == "error") Failed(log, e);
            throw;
        }
        finally
        {
            telemetry.Duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    private async Task<ServedResult> QueueAsync(ImageInput image, CancellationToken cancellation)
    {
        if (options.WhenFull == QueueFullMode.Wait) await places.WaitAsync(cancellation).ConfigureAwait(false);
        else if (!places.Wait(0, CancellationToken.None)) throw new EmbeddingQueueFullException(options.QueueCapacity);
        bool isQueued = false;
        ServedModel? model = null;
        try
        {
            var encoded = image.Image is null ? await image.ReadAsync(options.MaxImageBytes, cancellation).ConfigureAwait(false) : default;
            await decoders.WaitAsync(cancellation).ConfigureAwait(false);
            PendingImage pending;
            try
            {
                model = models.Hold();
                pending = await Task.Run(() => new PendingImage(model, Decode(image, encoded, model), places, cancellation), cancellation).ConfigureAwait(false);
            }
            finally
            {
                decoders.Release();
            }
            batcher.Add(pending);
            isQueued = true;
            using var registration = cancellation.Register(() => pending.Result.TrySetCanceled(cancellation));
            return await pending.Result.Task.ConfigureAwait(false);
        }
        finally
        {
            // A queued image keeps both until the batcher is done with it, even where its caller has gone: it takes memory as long.
            if (!isQueued)
            {
                model?.Release();
                places.Release();
            }
        }
    }

    private float[] Decode(ImageInput image, ReadOnlyMemory<byte> encoded, ServedModel model)
    {
        using var bitmap = image.Image is { } decoded
            ? PixelBuffers.ToBitmap(Bounded(decoded.Width, decoded.Height, decoded))
            : ImageDecoder.DecodeBitmap(encoded.Span, image.Name, options.ApplyOrientation, options.MaxImagePixels);
        float[] pixels = new float[3 * model.ImageSize * model.ImageSize];
        model.Resize(bitmap, pixels);
        return pixels;
    }

    private T Bounded<T>(int width, int height, T image) => (long)width * height <= options.MaxImagePixels
        ? image
        : throw new ImageReadException($"The image is {width}x{height}; an image may have at most {options.MaxImagePixels} pixels.");

    private void Enter()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isClosed, typeof(IImageEmbedder));
            requests++;
        }
    }

    private void Leave()
    {
        lock (gate)
        {
            if (--requests == 0 && isClosed) drained.TrySetResult();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An image could not be embedded.")]
    private static partial void Failed(ILogger log, Exception fault);
}
