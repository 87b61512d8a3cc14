using MaskBias.MLNet.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Distributed;

/// <summary>Two ranks in one process: the other one has values of its own, which a test gives.</summary>
internal sealed class MirroredRanks(Func<Tensor, Tensor> other) : IRanks
{
    public List<ScalarType> Types { get; } = [];

    public int Sums => Types.Count;

    public int Rank => 0;

    public int Size => 2;

    public IPendingSum BeginSum(Tensor values)
    {
        Types.Add(values.dtype);
        using var theirs = other(values);
        values.add_(theirs);
        return OneRank.Instance;
    }

    public void Broadcast(Tensor values)
    {
    }

    public byte[][] Gather(ReadOnlySpan<byte> mine) => [mine.ToArray(), mine.ToArray()];

    public void Fail(Exception cause)
    {
    }

    public void Dispose()
    {
    }
}
