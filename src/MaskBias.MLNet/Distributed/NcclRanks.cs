using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>Ranks with a CUDA device each: sums go from device to device by NCCL, everything else by MPI.</summary>
internal sealed class NcclRanks : IRanks
{
    private readonly MpiRanks ranks;
    private readonly Device device;
    private nint group;

    /// <summary>Makes a group of the ranks' devices; its name travels by MPI.</summary>
    /// <exception cref="ArgumentException">The device is not a CUDA device.</exception>
    /// <exception cref="DllNotFoundException">There is no NCCL.</exception>
    public NcclRanks(MpiRanks ranks, Device device)
    {
        CheckDevice(device);
        (this.ranks, this.device) = (ranks, device);
        NcclLibrary.UseDevice(Math.Max(0, device.index));
        byte[] id = ranks.Gather(ranks.Rank == 0 ? NcclLibrary.NewId() : [])[0];
        group = NcclLibrary.Join(id, ranks.Size, ranks.Rank);
    }

    public int Rank => ranks.Rank;

    public int Size => ranks.Size;

    public CancellationToken Stopping => ranks.Stopping;

    public RankFailedException? WhyStopping() => ranks.WhyStopping();

    public IDisposable Watch(Action<string> say) => ranks.Watch(say);

    /// <summary>Refuses what NCCL cannot do.</summary>
    internal static void CheckDevice(Device device)
    {
        if (device.type == DeviceType.CUDA) return;
        throw new ArgumentException($"Distributed is Nccl and the device is {device}; NCCL needs a CUDA device for each process. Use Mpi on the CPU.");
    }

    public IPendingSum BeginSum(Tensor values)
    {
        if (values.device_type != DeviceType.CUDA) return ranks.BeginSum(values);
        if (!values.is_contiguous()) throw new ArgumentException("The values must be contiguous.", nameof(values));
        NcclLibrary.UseDevice(Math.Max(0, device.index));          // another thread may run this step
        (nint data, int type) = values.dtype switch
        {
            ScalarType.Float32 => (values.storage<float>().data_ptr(), NcclLibrary.Float),
            ScalarType.Float64 => (values.storage<double>().data_ptr(), NcclLibrary.Double),
            var other => throw new NotSupportedException($"Sums over ranks are of Float32 or Float64, not {other}."),
        };
        NcclLibrary.Sum(data + (nint)(values.storage_offset() * values.element_size()), values.numel(), type, group);
        return new Pending(this);
    }

    public void Broadcast(Tensor values) => ranks.Broadcast(values);

    public byte[][] Gather(ReadOnlySpan<byte> mine) => ranks.Gather(mine);

    public void Fail(Exception cause)
    {
        Abandon();
        ranks.Fail(cause);
    }

    public void WaitForDevice() => WaitForSums("a step");

    public void WhileBusy(Action work) => ranks.WhileBusy(work);

    public void Dispose()
    {
        if (group != 0) NcclLibrary.Leave(group);
        group = 0;
        ranks.Dispose();
    }

    // A sum that some rank never joins would keep the device busy for ever, and whatever waits for it.
    private void Abandon()
    {
        if (group != 0) NcclLibrary.Abort(group);
        group = 0;
    }

    private void WaitForSums(string what)
    {
        try
        {
            ranks.WaitFor(IsDone, what);
        }
        catch
        {
            Abandon();
            throw;
        }

        bool IsDone()
        {
            NcclLibrary.CheckGroup(group);
            return NcclLibrary.IsDone();
        }
    }

    private sealed class Pending(NcclRanks owner) : IPendingSum
    {
        public void Complete() => owner.WaitForSums("a sum of NCCL");
    }
}
