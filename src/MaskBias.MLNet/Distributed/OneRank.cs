using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>A process that trains alone.</summary>
internal sealed class OneRank : IRanks, IPendingSum
{
    public static OneRank Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public IPendingSum BeginSum(Tensor values) => this;

    public void Broadcast(Tensor values)
    {
    }

    public byte[][] Gather(ReadOnlySpan<byte> mine) => [mine.ToArray()];

    public void Fail(Exception cause)
    {
    }

    public void Complete()
    {
    }

    public void Dispose()
    {
    }
}
