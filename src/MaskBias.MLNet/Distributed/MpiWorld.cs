using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Distributed;

/// <summary>The processes that an MPI launcher started, of which this is one. MPI begins with <see cref="Join"/> and ends with the process.</summary>
public sealed class MpiWorld
{
    private static readonly TimeSpan PatienceOfRoot = TimeSpan.FromSeconds(3), PatienceOfOthers = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PatienceOfSender = TimeSpan.FromSeconds(1);
    private const int AbortedCode = 70;

    private static readonly Lock Gate = new();
    private static MpiWorld? joined;

    // Alarms that are still being sent: MPI may read them until the process ends.
    private readonly ConcurrentBag<byte[]> untaken = [];

    private MpiWorld(MpiLibrary library) => Library = library;

    /// <summary>This process, from 0.</summary>
    public int Rank => Library.Rank;

    /// <summary>Number of processes; 1 without a launcher.</summary>
    public int Size => Library.Size;

    /// <summary>What the MPI library says of itself.</summary>
    public string LibraryVersion => Library.Version;

    internal MpiLibrary Library { get; }

    /// <summary>Whether a run has failed, so that the others cannot be counted on.</summary>
    internal bool HasFailed { get; set; }

    /// <summary>Number of processes that the launcher of this one started, without beginning MPI; 1 where there is none.</summary>
    public static int LaunchedSize => MpiLauncher.Current?.Size ?? 1;

    /// <summary>Number of this process among those, from 0, without beginning MPI.</summary>
    public static int LaunchedRank => MpiLauncher.Current is { Size: > 1 } ? MpiLauncher.Rank : 0;

    /// <summary>Begins MPI; once it has begun, gives the same world again.</summary>
    /// <exception cref="DllNotFoundException">There is no MPI library.</exception>
    /// <exception cref="InvalidOperationException">The launcher is of another MPI than the library.</exception>
    public static MpiWorld Join()
    {
        lock (Gate)
        {
            if (joined is not null) return joined;
            var launcher = MpiLauncher.Current;
            var library = MpiLibrary.Load(launcher);
            if (Mismatch(launcher, library.Size, library.Version) is { } reason)
            {
                library.End();
                throw new InvalidOperationException(reason);
            }
            joined = new(library);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => joined.Leave();
            // Some launchers kill the others as soon as one crashes: rank 0 must have had its say.
            AppDomain.CurrentDomain.UnhandledException += (_, _) => joined.Farewell();
            return joined;
        }
    }

    /// <summary>Why a library cannot be the launcher's; null where it can.</summary>
    internal static string? Mismatch(MpiLauncher? launcher, int size, string version)
    {
        if (launcher is null || size == launcher.Size || size > 1) return null;
        return $"{launcher.Name} started {launcher.Size} processes, and the MPI library that was found, {version}, sees this one alone: launcher and "
            + $"library are of different MPIs. Use the launcher of that library, or name the launcher's library in {MpiLibrary.LibraryVariable}.";
    }

    // A process that has failed ends the job. It first lets the others say what they have to say; rank 0 may be writing a checkpoint.
    private void Leave()
    {
        if (!HasFailed && Environment.ExitCode == 0)
        {
            Library.End();
            return;
        }
        Farewell();
        Library.Abort(Environment.ExitCode == 0 ? AbortedCode : Environment.ExitCode);
    }

    private void Farewell()
    {
        if (Size == 1) return;
        try
        {
            WaitForOthers();
        }
        catch (RankFailedException)
        {
            // Nobody is left to be told.
        }
    }

    private void WaitForOthers()
    {
        byte[] left = new Alarm(AlarmKind.Left, Rank, "").Encode();
        int[] others = Rank == 0 ? [.. Enumerable.Range(1, Size - 1)] : [0];
        foreach (int other in others) Send(left, other);
        var waiting = others.ToHashSet();
        var patience = Rank == 0 ? PatienceOfRoot : PatienceOfOthers;
        for (long begun = Stopwatch.GetTimestamp(); waiting.Count > 0 && Stopwatch.GetElapsedTime(begun) < patience; Thread.Sleep(5))
        {
            foreach (int other in waiting.ToList())
            {
                if (TryReceive(other) is not { } alarm) continue;
                if (alarm.Kind == AlarmKind.Left) waiting.Remove(other);
                if (alarm.Kind == AlarmKind.Busy) begun = Stopwatch.GetTimestamp();
            }
        }
    }

    /// <summary>Sends an alarm; one that is not taken at once is left to its fate.</summary>
    internal void Send(byte[] alarm, int to)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(alarm.Length, pinned: true);
        alarm.CopyTo(bytes, 0);
        nint request = Library.BeginSend(Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), bytes.Length, to);
        bool isTaken = false;
        try
        {
            for (long begun = Stopwatch.GetTimestamp(); !isTaken && Stopwatch.GetElapsedTime(begun) < PatienceOfSender; Thread.Yield())
                isTaken = Library.Test(ref request);
        }
        finally
        {
            if (!isTaken) untaken.Add(bytes);
        }
    }

    /// <summary>Takes an alarm of a rank, if there is one.</summary>
    internal unsafe Alarm? TryReceive(int from)
    {
        byte* bytes = stackalloc byte[Alarm.Length];
        return Library.TryReceive((nint)bytes, Alarm.Length, from) ? Alarm.Decode(new ReadOnlySpan<byte>(bytes, Alarm.Length)) : null;
    }
}
