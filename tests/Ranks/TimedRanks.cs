using System.Diagnostics;
using MaskBias.MLNet.Distributed;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>Ranks whose sums are timed.</summary>
internal sealed class TimedRanks(IRanks ranks) : IRanks
{
    public int Rank => ranks.Rank;

    public int Size => ranks.Size;

    /// <summary>Time spent in beginning sums and waiting for them.</summary>
    public TimeSpan Spent { get; private set; }

    public IPendingSum BeginSum(Tensor values)
    {
        long begun = Stopwatch.GetTimestamp();
        var sum = ranks.BeginSum(values);
        Spent += Stopwatch.GetElapsedTime(begun);
        return new Timed(this, sum);
    }

    public void Broadcast(Tensor values) => ranks.Broadcast(values);

    public byte[][] Gather(ReadOnlySpan<byte> mine) => ranks.Gather(mine);

    public void Fail(Exception cause) => ranks.Fail(cause);

    public void Reset() => Spent = default;

    public void Dispose()
    {
    }

    private sealed class Timed(TimedRanks owner, IPendingSum sum) : IPendingSum
    {
        public void Advance() => Time(sum.Advance);

        public void Complete() => Time(sum.Complete);

        private void Time(Action work)
        {
            long begun = Stopwatch.GetTimestamp();
            work();
            owner.Spent += Stopwatch.GetElapsedTime(begun);
        }
    }
}
