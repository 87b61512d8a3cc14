namespace MaskBias.MLNet.Distributed;

/// <summary>
/// Looks from a thread of its own whether the ranks of this machine still run, and says at once which one has ended: some launchers kill the
/// others within milliseconds, while the thread that trains is far from asking.
/// </summary>
internal sealed class PeerWatch : IDisposable
{
    // A process that is killed is seen to have ended some 10 ms before its memory is given back and its launcher hears of it.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);

    private readonly ManualResetEventSlim done = new();
    private readonly Thread thread;

    /// <summary>Watches until it is disposed of, or until one has ended.</summary>
    /// <param name="peers">The ranks.</param>
    /// <param name="self">This one: rank 0 watches all others, they watch rank 0.</param>
    /// <param name="say">Receives the line.</param>
    public PeerWatch(RankPeers peers, int self, Action<string> say)
    {
        thread = new Thread(() => Look(peers, self, say)) { IsBackground = true, Name = "MPI peers" };
        thread.Start();
    }

    public void Dispose()
    {
        done.Set();
        thread.Join();
        done.Dispose();
    }

    private void Look(RankPeers peers, int self, Action<string> say)
    {
        var between = BetweenLooks * (self == 0 ? Math.Max(1, peers.Count - 1) : 1);       // as little work for many as for one
        while (!done.Wait(between))
        {
            if (peers.WhoEnded(self, onlyRoot: self != 0) is not { } ended) continue;
            say(ended + ".");
            return;
        }
    }
}
