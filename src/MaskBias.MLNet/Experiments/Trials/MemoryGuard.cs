namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>Watches the memory of the process many times a second, and stops what is watched before a limit is reached.</summary>
internal sealed class MemoryGuard : IDisposable
{
    private const double StopShare = 0.9;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly long limit;
    private readonly Timer timer;
    private readonly Lock gate = new();
    private CancellationTokenSource? watched;
    private long peak;

    /// <param name="megabytes">The limit; null to measure only.</param>
    public MemoryGuard(int? megabytes)
    {
        limit = megabytes is { } most ? (long)(most * StopShare) << 20 : long.MaxValue;
        timer = new(_ => Look(), null, TimeSpan.Zero, Interval);
    }

    /// <summary>The most memory that was seen, in bytes.</summary>
    public long Peak => Interlocked.Read(ref peak);

    /// <summary>Whether what is watched has been stopped.</summary>
    public bool HasStopped { get; private set; }

    /// <summary>Cancels a source when the limit is near, until the next call; null to watch nothing.</summary>
    public void Watch(CancellationTokenSource? source)
    {
        lock (gate) (watched, HasStopped) = (source, false);
        if (source is not null) Look();
    }

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        long now = Environment.WorkingSet;
        lock (gate)
        {
            if (now > peak) Interlocked.Exchange(ref peak, now);
            if (now < limit || watched is null || HasStopped) return;
            HasStopped = true;
            watched.CancelAsync();
        }
    }
}
