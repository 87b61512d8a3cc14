using System.Diagnostics;
using System.Threading.Channels;
using MaskBias.MLNet.Extensions.Models;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>Gathers decoded images into batches of one model and computes them one after another, first come, first served.</summary>
internal sealed class Batcher
{
    private readonly Channel<PendingImage> queue = Channel.CreateUnbounded<PendingImage>(new() { SingleReader = true });   // bounded by its writers' places
    private readonly int maxBatch;
    private readonly TimeSpan maxDelay;
    private readonly ServingTelemetry telemetry;
    private readonly Task loop;
    private float[] pixels = [];

    public Batcher(int maxBatch, TimeSpan maxDelay, ServingTelemetry telemetry)
    {
        (this.maxBatch, this.maxDelay, this.telemetry) = (maxBatch, maxDelay, telemetry);
        loop = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Queues an image; the batcher releases it when it is done with it.</summary>
    public void Add(PendingImage image)
    {
        if (!queue.Writer.TryWrite(image)) throw new ObjectDisposedException(nameof(ImageEmbeddingService));
    }

    /// <summary>Takes no more, and ends when all that was queued is computed.</summary>
    public Task DrainAsync()
    {
        queue.Writer.TryComplete();
        return loop;
    }

    private async Task RunAsync()
    {
        var batch = new List<PendingImage>(maxBatch);
        PendingImage? next = null;
        while (next is not null || await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            if (next is not null) batch.Add(next);
            next = await GatherAsync(batch).ConfigureAwait(false);
            if (batch.Count > 0) Serve(batch);
            batch.Clear();
        }
    }

    /// <summary>Fills the batch; returns the first image of the next one where that needs another model.</summary>
    private async ValueTask<PendingImage?> GatherAsync(List<PendingImage> batch)
    {
        using var deadline = new CancellationTokenSource();             // one for the whole batch: its first image waits no longer than that
        bool isSet = false;
        while (batch.Count < maxBatch)
        {
            while (!queue.Reader.TryPeek(out _))
            {
                if (batch.Count == 0 || maxDelay == TimeSpan.Zero) return null;
                if (!isSet) deadline.CancelAfter(maxDelay);
                isSet = true;
                try
                {
                    if (!await queue.Reader.WaitToReadAsync(deadline.Token).ConfigureAwait(false)) return null;
                }
                catch (OperationCanceledException)
                {
                    return null;
                }
            }
            queue.Reader.TryRead(out var image);
            if (image!.Cancellation.IsCancellationRequested)
            {
                image.Release();
                image.Result.TrySetCanceled(image.Cancellation);
            }
            else if (batch.Count > 0 && batch[0].Model != image.Model) return image;
            else batch.Add(image);
        }
        return null;
    }

    private void Serve(List<PendingImage> batch)
    {
        ServedResult[] results = [];
        Exception? fault = null;
        try
        {
            results = Compute(batch);
        }
        catch (Exception e)             // the model's, or of who listens to telemetry: the callers learn of it; the next batch may do better
        {
            fault = e;
        }
        for (int i = 0; i < batch.Count; i++)
        {
            batch[i].Release();         // before the answer: who has it and asks again finds the place free
            if (fault is null) batch[i].Result.TrySetResult(results[i]);
            else batch[i].Result.TrySetException(fault);
        }
    }

    private ServedResult[] Compute(List<PendingImage> batch)
    {
        var model = batch[0].Model;
        int length = batch[0].Pixels.Length;
        using var activity = ServingTelemetry.Activities.StartActivity(
            "maskbias.batch", ActivityKind.Internal, default(ActivityContext),
            links: batch.Where(i => i.Parent != default).Select(i => new ActivityLink(i.Parent)));
        activity?.SetTag("maskbias.batch.size", batch.Count).SetTag("maskbias.model.id", model.Id);
        long start = Stopwatch.GetTimestamp();
        try
        {
            if (pixels.Length < maxBatch * length) pixels = new float[maxBatch * length];
            for (int i = 0; i < batch.Count; i++) batch[i].Pixels.CopyTo(pixels, i * length);
            return model.Run(pixels, batch.Count);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
        finally
        {
            telemetry.BatchSize.Record(batch.Count);
            telemetry.BatchDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }
}
