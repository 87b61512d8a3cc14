namespace MaskBias.MLNet.Distributed;

/// <summary>How a training run is spread over processes.</summary>
public enum DistributedTraining
{
    /// <summary>Not at all: this process trains alone.</summary>
    None,

    /// <summary>
    /// Over the processes that <c>mpirun</c> or <c>srun</c> started: each computes its share of every batch. Open MPI, MPICH (and what shares
    /// its ABI) and the standard ABI of MPI 5 are recognised at run time.
    /// </summary>
    Mpi,

    /// <summary>As <see cref="Mpi"/>, which starts it, but gradients travel between CUDA devices by NCCL, one device for each process.</summary>
    Nccl,
}
