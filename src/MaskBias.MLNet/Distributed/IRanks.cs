using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>
/// The processes that train together, and what they exchange. Sums, broadcasts and gathers are collectives: all ranks call them, in the same
/// order, from the thread that trains.
/// </summary>
internal interface IRanks : IDisposable
{
    /// <summary>This process, from 0. Rank 0 writes what the run keeps.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int Size { get; }

    /// <summary>Whether this process is the one that writes.</summary>
    bool IsRoot => Rank == 0;

    /// <summary>Cancelled when the launcher asks this process to end.</summary>
    CancellationToken Stopping => CancellationToken.None;

    /// <summary>The reason why the launcher asks this process to end, where it can be seen from here.</summary>
    RankFailedException? WhyStopping() => null;

    /// <summary>Says at once, from another thread, when another rank of this machine ends, until what it returns is disposed of.</summary>
    IDisposable? Watch(Action<string> say) => null;

    /// <summary>Starts to replace values by their sum over the ranks; every rank gets the same bits.</summary>
    /// <param name="values">Contiguous, float32 or float64; it must stay alive and untouched until the sum is complete.</param>
    IPendingSum BeginSum(Tensor values);

    /// <summary>Waits for what is queued on the device, where sums of several ranks may be: looking around, as every wait does.</summary>
    void WaitForDevice()
    {
    }

    /// <summary>Replaces a tensor's values, of any type, by rank 0's.</summary>
    void Broadcast(Tensor values);

    /// <summary>Gives every rank what each of them has, in the order of the ranks.</summary>
    byte[][] Gather(ReadOnlySpan<byte> mine);

    /// <summary>Tells the others why this rank leaves, so that none of them waits for it. Never throws.</summary>
    void Fail(Exception cause);

    /// <summary>Does something that takes this rank long, such as writing a checkpoint; the others wait longer meanwhile.</summary>
    void WhileBusy(Action work) => work();

    /// <summary>Replaces values by their sum over the ranks.</summary>
    void Sum(Tensor values)
    {
        if (Size > 1) BeginSum(values).Complete();
    }

    /// <summary>The mean of a number over the ranks.</summary>
    double Mean(double value)
    {
        if (Size == 1) return value;
        using var sum = tensor(new[] { value });
        Sum(sum);
        return sum.data<double>()[0] / Size;
    }

    /// <summary>A number of rank 0's.</summary>
    int FromRoot(int value)
    {
        if (Size == 1) return value;
        using var shared = tensor(new[] { value });
        Broadcast(shared);
        return shared.data<int>()[0];
    }

    /// <summary>Does a run's work; should it fail here, the other ranks hear of it.</summary>
    T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
    }
}
