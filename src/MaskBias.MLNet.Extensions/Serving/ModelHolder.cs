using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>The model in force, and its replacement when the file changes; a file that cannot be loaded leaves the old model in force.</summary>
internal sealed partial class ModelHolder : IAsyncDisposable
{
    private readonly MaskBiasEmbeddingOptions options;
    private readonly ServingTelemetry telemetry;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly Task watch;
    private ServedModel current;

    public ModelHolder(MaskBiasEmbeddingOptions options, ServingTelemetry telemetry, ILogger log)
    {
        (this.options, this.telemetry, this.log) = (options, telemetry, log);
        var stamp = Stamp();
        current = Load();
        watch = options.ReloadInterval > TimeSpan.Zero ? Task.Run(() => WatchAsync(stamp)) : Task.CompletedTask;
    }

    public ServedModel Current => Volatile.Read(ref current);

    /// <summary>Why the file as it is now could not be loaded, or null.</summary>
    public string? ReloadFault { get; private set; }

    /// <summary>The model in force, held for a request.</summary>
    public ServedModel Hold()
    {
        ServedModel model;
        do model = Current; while (!model.TryHold());
        return model;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await watch.ConfigureAwait(false);
        current.Release();
        stop.Dispose();
    }

    private async Task WatchAsync((DateTime Time, long Length) loaded)
    {
        using var timer = new PeriodicTimer(options.ReloadInterval);
        var seen = loaded;
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                var stamp = Stamp();
                bool isSettled = stamp == seen;             // not while it is still being written
                seen = stamp;
                if (!isSettled || stamp == loaded || stamp.Length < 0) continue;
                loaded = stamp;
                Reload();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Reload()
    {
        try
        {
            Interlocked.Exchange(ref current, Load()).Release();         // requests that hold the old one finish on it
            ReloadFault = null;
            telemetry.Reloads.Add(1, new KeyValuePair<string, object?>("outcome", "loaded"));
        }
        catch (Exception e)
        {
            ReloadFault = e.Message;
            telemetry.Reloads.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));
            NotLoaded(log, e, options.ModelPath);
        }
    }

    private ServedModel Load()
    {
        var model = ServedModel.Load(options.ModelPath, options.ComputeThreads);
        Loaded(log, options.ModelPath, model.Id, model.Dimensions, model.ImageSize, model.Classes.Count);
        if (model.Producer != OnnxGraph.Producer) OfAnotherProducer(log, options.ModelPath, model.Producer, OnnxGraph.Producer);
        return model;
    }

    private (DateTime Time, long Length) Stamp()
    {
        var file = new FileInfo(options.ModelPath);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : (default, -1);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving {Path}: {Id}, {Dimensions} dimensions of images of {Size} pixels, {Classes} classes.")]
    private static partial void Loaded(ILogger log, string path, string id, int dimensions, int size, int classes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The encoder in {Path} was written by '{Producer}', not by {Library}: it gets R, G and B "
        + "in 0 to 255, not normalised. Its numbers are wrong unless it normalises them itself.")]
    private static partial void OfAnotherProducer(ILogger log, string path, string producer, string library);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} changed and cannot be loaded; the model loaded before stays in force.")]
    private static partial void NotLoaded(ILogger log, Exception fault, string path);
}
