using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>Ranks that exchange by MPI, through the memory of the host.</summary>
/// <remarks>
/// Whatever is waited for is waited for in a loop that looks around: another rank's alarm, a process that has ended, the launcher's wish to
/// stop and a limit of time all end the wait with the reason.
/// </remarks>
internal sealed unsafe class MpiRanks : IRanks
{
    private const int PollsBetweenLooks = 64;
    private static readonly TimeSpan FirstPatience = TimeSpan.FromMinutes(10), MostBetweenBeats = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenPeers = TimeSpan.FromMilliseconds(100), AfterSignal = TimeSpan.FromMilliseconds(300);
    private const int LargestMessage = 1 << 30;

    private readonly MpiWorld world;
    private readonly TimeSpan patience;
    private readonly CancellationTokenSource stopping = new();
    private readonly PosixSignalRegistration? terminate;
    private readonly RankPeers peers;
    private bool told, isStarting = true;
    private long lastLookAtPeers, lastBeat;

    /// <param name="world">The processes.</param>
    /// <param name="patience">How long one may wait for the others.</param>
    public MpiRanks(MpiWorld world, TimeSpan patience)
    {
        (this.world, this.patience) = (world, patience);
        if (!OperatingSystem.IsWindows()) terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        peers = new([RankPeers.Describe()]);                    // until the others have said where they are
        peers = new(Gather(RankPeers.Describe()));
    }

    public int Rank => world.Rank;

    public int Size => world.Size;

    public CancellationToken Stopping => stopping.Token;

    public IPendingSum BeginSum(Tensor values)
    {
        nint type = values.dtype switch
        {
            ScalarType.Float32 => world.Library.Constants.Float,
            ScalarType.Float64 => world.Library.Constants.Double,
            var other => throw new NotSupportedException($"Sums over ranks are of Float32 or Float64, not {other}."),
        };
        if (values.device_type != DeviceType.CPU) return new StagedSum(this, values);
        nint data = Address(values, out long count);
        return new Pending(this, world.Library.BeginSum(data, checked((int)count), type), "a sum");
    }

    public void Broadcast(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        bool isPlain = values.device_type == DeviceType.CPU && values.is_contiguous();
        var host = isPlain ? values : values.cpu().contiguous();
        nint data = Address(host, out long count);
        long bytes = count * host.element_size();
        for (long at = 0; at < bytes; at += LargestMessage)
            Wait(world.Library.BeginBroadcast(data + (nint)at, (int)Math.Min(LargestMessage, bytes - at)), "a broadcast");
        if (!isPlain) values.copy_(host);
    }

    public byte[][] Gather(ReadOnlySpan<byte> mine)
    {
        int[] lengths = [.. GatherEqual(BitConverter.GetBytes(mine.Length)).Select(b => BinaryPrimitives.ReadInt32LittleEndian(b))];
        int longest = lengths.Max();
        if (longest == 0) return [.. lengths.Select(_ => Array.Empty<byte>())];
        byte[] padded = new byte[longest];
        mine.CopyTo(padded);
        return [.. GatherEqual(padded).Select((b, rank) => b[..lengths[rank]])];
    }

    public void Fail(Exception cause)
    {
        world.HasFailed = true;
        if (told) return;
        told = true;
        var kind = cause is OperationCanceledException ? AlarmKind.Cancelled : AlarmKind.Failed;
        Tell(new(kind, Rank, cause.Message));
    }

    public RankFailedException? WhyStopping() =>
        Stopping.IsCancellationRequested && peers.WhoEnded(Rank) is { } ended ? Failed($"{ended}, and the launcher ends the job.") : null;

    public IDisposable Watch(Action<string> say) => new PeerWatch(peers, Rank, say);

    public void WhileBusy(Action work)
    {
        // Again and again, so that the others know a rank that is busy from one that hangs. Nothing else here speaks MPI meanwhile.
        var busyAlarm = new Alarm(AlarmKind.Busy, Rank, "");
        Tell(busyAlarm);
        using var done = new ManualResetEventSlim();
        var between = patience / 4 < MostBetweenBeats ? patience / 4 : MostBetweenBeats;
        var beat = new Thread(() =>
        {
            while (!done.Wait(between)) Tell(busyAlarm);
        }) { IsBackground = true, Name = "MPI heartbeat" };
        beat.Start();
        try
        {
            work();
        }
        finally
        {
            done.Set();
            beat.Join();
        }
    }

    public void Dispose()
    {
        terminate?.Dispose();
        stopping.Dispose();
    }

    // Rank 0 hears everybody and is heard by everybody.
    private void Tell(Alarm alarm)
    {
        try
        {
            byte[] bytes = alarm.Encode();
            foreach (int rank in Rank == 0 ? Enumerable.Range(1, Size - 1).Where(r => r != alarm.Rank) : [0]) world.Send(bytes, rank);
        }
        catch (RankFailedException)
        {
            // They will find out by themselves.
        }
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        try
        {
            stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run ended while the signal was on its way.
        }
    }

    private byte[][] GatherEqual(byte[] mine)
    {
        byte[] all = new byte[mine.Length * (long)Size];
        fixed (byte* from = mine)
        fixed (byte* to = all)
            Wait(world.Library.BeginGather((nint)from, mine.Length, (nint)to), "a gathering");
        return [.. all.Chunk(mine.Length)];
    }

    private void Wait(nint request, string what) => WaitFor(() => world.Library.Test(ref request), what);

    /// <summary>Waits, and looks around meanwhile.</summary>
    internal void WaitFor(Func<bool> isDone, string what)
    {
        long begun = Stopwatch.GetTimestamp();
        for (int polls = 1; !isDone(); polls++)
        {
            if (polls % PollsBetweenLooks != 0) continue;
            LookAround(begun, what);
            Thread.Yield();
        }
    }

    private void LookAround(long begun, string what)
    {
        for (int rank = Rank == 0 ? 1 : 0; rank < (Rank == 0 ? Size : 1); rank++)
        {
            if (world.TryReceive(rank) is { } alarm) Heed(alarm);
        }
        var waited = Stopwatch.GetElapsedTime(begun);
        if (Stopwatch.GetElapsedTime(lastLookAtPeers) > BetweenPeers)
        {
            lastLookAtPeers = Stopwatch.GetTimestamp();
            if (peers.WhoEnded(Rank) is { } ended) throw Failed($"{ended}. Rank {Rank} was waiting for it in {what}.");
        }
        if (stopping.IsCancellationRequested && waited > AfterSignal)
        {
            throw Failed($"Rank {Rank} was asked to end (SIGTERM) while it waited for the other ranks in {what}: one of them has ended, as the "
                + "launcher says, or the job was stopped.");
        }
        var limit = isStarting ? FirstPatience : patience;
        var since = lastBeat > begun ? Stopwatch.GetElapsedTime(lastBeat) : waited;
        if (since <= limit) return;
        string who = Size == 2 ? peers.Name(1 - Rank) : "another rank";
        throw Failed($"Rank {Rank} waited {since.TotalSeconds:0} s for {who} in {what}: it hangs, or is that much slower. "
            + "DistributedTimeoutSeconds is how long ranks wait.");
    }

    private void Heed(Alarm alarm)
    {
        switch (alarm.Kind)
        {
            case AlarmKind.Busy:
                lastBeat = Stopwatch.GetTimestamp();
                return;
            case AlarmKind.Cancelled:
                Forward(alarm);
                throw new OperationCanceledException($"Rank {alarm.Rank} was asked to stop.");
            case AlarmKind.Left:
                throw Failed($"{peers.Name(alarm.Rank, capital: true)} has left.");
            default:
                Forward(alarm);
                throw Failed($"{peers.Name(alarm.Rank, capital: true)} failed: {alarm.Text}");
        }
    }

    private void Forward(Alarm alarm)
    {
        told = true;                                            // they hear of the one that began it
        world.HasFailed = true;
        if (Rank == 0) Tell(alarm);
    }

    private RankFailedException Failed(string reason)
    {
        world.HasFailed = true;
        return new(reason);
    }

    private static nint Address(Tensor host, out long count)
    {
        if (!host.is_contiguous()) throw new ArgumentException("The values must be contiguous.", nameof(host));
        count = host.numel();
        fixed (byte* data = host.bytes) return (nint)data;      // native memory: it stays where it is
    }

    private sealed class Pending(MpiRanks ranks, nint request, string what) : IPendingSum
    {
        private nint request = request;

        public void Advance() => ranks.world.Library.Test(ref request);

        public void Complete()
        {
            ranks.WaitFor(() => ranks.world.Library.Test(ref request), what);
            ranks.isStarting = false;                           // until the first step, each reads its images at its own pace
        }
    }

    // Values of a device, by way of the host.
    private sealed class StagedSum(MpiRanks ranks, Tensor values) : IPendingSum
    {
        public void Complete()
        {
            using var host = values.cpu();                      // not before: it waits for the device
            ((IRanks)ranks).Sum(host);
            values.copy_(host);
        }
    }
}
