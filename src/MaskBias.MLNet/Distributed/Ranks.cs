namespace MaskBias.MLNet.Distributed;

/// <summary>The ranks that a run's options ask for.</summary>
internal static class Ranks
{
    /// <summary>Joins the other processes, and does with them what a run begins with; where that fails, they hear of it.</summary>
    public static (IRanks Ranks, T Begun) Open<T>(
        DistributedTraining distributed, int timeoutSeconds, TorchSharp.torch.Device device, Func<IRanks, T> begin)
    {
        var ranks = Open(distributed, timeoutSeconds, device);
        try
        {
            return (ranks, ranks.Guard(() => begin(ranks)));
        }
        catch
        {
            ranks.Dispose();
            throw;
        }
    }

    /// <summary>Joins the other processes; alone where the options or the launcher ask for no others.</summary>
    /// <exception cref="DllNotFoundException">There is no MPI library, or no NCCL.</exception>
    /// <exception cref="InvalidOperationException">The launcher is of another MPI than the library.</exception>
    public static IRanks Open(DistributedTraining distributed, int timeoutSeconds, TorchSharp.torch.Device device)
    {
        if (distributed == DistributedTraining.None) return OneRank.Instance;
        var world = MpiWorld.Join();
        if (world.Size == 1) return OneRank.Instance;
        var ranks = new MpiRanks(world, TimeSpan.FromSeconds(timeoutSeconds));
        if (distributed == DistributedTraining.Mpi) return ranks;
        try
        {
            return new NcclRanks(ranks, device);
        }
        catch (Exception e)
        {
            ranks.Fail(e);
            ranks.Dispose();
            throw;
        }
    }
}
