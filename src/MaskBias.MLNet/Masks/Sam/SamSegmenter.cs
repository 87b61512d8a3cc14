using System.Diagnostics;
using MaskBias.MLNet.Images;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Gives the masks of images: from the store where they are kept, else computed, one image at a time. Thread-safe.</summary>
/// <remarks>The model is loaded when it is first needed: never, where the store has all masks.</remarks>
internal sealed class SamSegmenter : IDisposable
{
    private readonly SamMasksOptions options;
    private readonly IHost host;
    private readonly Device device;
    private readonly string deviceReason;
    private readonly SamMaskStore? store;
    private readonly Lock gate = new();                 // one image at a time: each uses the whole device
    private readonly Lock counters = new();
    private readonly Stopwatch clock = new();
    private SamModel? model;
    private bool isDisposed;
    private long images, fromStore, masks;

    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is damaged or not one of Segment Anything.</exception>
    /// <exception cref="InvalidOperationException">The device asked for is not there.</exception>
    public SamSegmenter(SamMasksOptions options, IHost host)
    {
        (this.options, this.host) = (options, host);
        _ = SamModel.Describe(options.CheckpointPath, options.DecoderHeads);
        (device, deviceReason) = options.Device.Resolve();
        if (options.StoreFolder is { } folder)
            store = new(folder, SamMaskStore.Fingerprint(options.CheckpointPath, options.DecoderHeads), options.Generator);
    }

    /// <summary>The encoded masks of an image.</summary>
    /// <exception cref="ArgumentException">The image is too elongated.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public byte[] Segment(RgbImage image)
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        lock (counters) clock.Start();
        string key = store?.Key(image) ?? "";
        if (Kept(key) is { } known) return Done(known, isKept: true);
        lock (gate)
        {
            if (Kept(key) is { } meanwhile) return Done(meanwhile, isKept: true);       // by another cursor
            var found = new SamMaskGenerator(Model(), options.Generator)
                .Generate(image, new Forward(current => Report(current)), options.CancellationToken);
            store?.Write(key, found);
            return Done(found, isKept: false);
        }
    }

    private GeneratedMasks? Kept(string key)
    {
        if (store is null) return null;
        var known = store.Read(key, out string? fault);
        if (fault is not null) Log(channel => channel.Warning(MessageSensitivity.None, $"{fault}; its image is segmented again."));
        return known;
    }

    private SamModel Model()
    {
        ObjectDisposedException.ThrowIf(isDisposed, typeof(SamMasksTransformer));
        if (model is not null) return model;
        var loaded = SamModel.Load(options.CheckpointPath, options.DecoderHeads);
        loaded.to(device);
        Log(channel => channel.Info(MessageSensitivity.None, $"Segment Anything from {options.CheckpointPath} on {deviceReason}."));
        return model = loaded;
    }

    private byte[] Done(GeneratedMasks found, bool isKept)
    {
        lock (counters)
        {
            images++;
            masks += found.Masks.Count;
            if (isKept) fromStore++;
        }
        Report(null);
        return found.Masks.Encode();
    }

    private void Report(SamGenerationProgress? current)
    {
        if (options.Progress is not { } progress) return;
        SamMasksProgress state;
        lock (counters) state = new(images, fromStore, masks, current, clock.Elapsed);
        progress.Report(state);
    }

    private void Log(Action<IChannel> write)
    {
        using var channel = host.Start(nameof(SamSegmenter));
        write(channel);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            model?.Dispose();
            (model, isDisposed) = (null, true);
        }
    }

    // On the same thread, unlike Progress<T>.
    private sealed class Forward(Action<SamGenerationProgress> report) : IProgress<SamGenerationProgress>
    {
        public void Report(SamGenerationProgress value) => report(value);
    }
}
