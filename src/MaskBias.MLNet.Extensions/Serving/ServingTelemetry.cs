using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>Metrics and activities of a service; both are named <see cref="Name"/>.</summary>
internal sealed class ServingTelemetry : IDisposable
{
    public const string Name = "MaskBias.MLNet";

    public static readonly ActivitySource Activities = new(Name);

    private readonly Meter meter;
    private readonly bool ownsMeter;

    /// <param name="factory">Makes the meter; null for one of its own.</param>
    /// <param name="serviceKey">Tags the meter, so that several models of one application are told apart; null for no tag.</param>
    /// <param name="held">Images held now.</param>
    public ServingTelemetry(IMeterFactory? factory, string? serviceKey, Func<int> held)
    {
        ownsMeter = factory is null;
        var about = new MeterOptions(Name) { Tags = serviceKey is null ? null : [new("maskbias.key", serviceKey)] };
        meter = factory?.Create(about) ?? new Meter(about);
        Duration = meter.CreateHistogram<double>("maskbias.request.duration", "s", "From a request to its embedding, by outcome.");
        BatchSize = meter.CreateHistogram<int>("maskbias.batch.size", "{image}", "Images computed together.");
        BatchDuration = meter.CreateHistogram<double>("maskbias.batch.duration", "s", "Computation of a batch.");
        Reloads = meter.CreateCounter<long>("maskbias.model.reloads", "{reload}", "Model files loaded while serving, by outcome.");
        meter.CreateObservableGauge("maskbias.queue.length", held, "{image}", "Images held: waiting, decoded or computed.");
    }

    public Histogram<double> Duration { get; }

    public Histogram<int> BatchSize { get; }

    public Histogram<double> BatchDuration { get; }

    public Counter<long> Reloads { get; }

    public void Dispose()
    {
        if (ownsMeter) meter.Dispose();
    }
}
