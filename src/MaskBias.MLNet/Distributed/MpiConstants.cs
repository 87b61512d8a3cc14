namespace MaskBias.MLNet.Distributed;

/// <summary>What the ABIs of MPI differ in: handles are addresses of exported objects, 32-bit numbers or small ones as wide as a pointer.</summary>
internal sealed record MpiConstants
{
    public required string Abi { get; init; }

    public required nint World { get; init; }

    public required nint Float { get; init; }

    public required nint Double { get; init; }

    public required nint Byte { get; init; }

    public required nint Sum { get; init; }

    public required nint InPlace { get; init; }

    /// <summary>MPI_THREAD_SERIALIZED: any thread may call, one at a time.</summary>
    public required int Serialized { get; init; }

    /// <summary>Open MPI: the handles are addresses.</summary>
    /// <param name="export">Gives the address of an exported object.</param>
    public static MpiConstants OpenMpi(Func<string, nint> export) => new()
    {
        Abi = "Open MPI", World = export("ompi_mpi_comm_world"), Float = export("ompi_mpi_float"), Double = export("ompi_mpi_double"),
        Byte = export("ompi_mpi_byte"), Sum = export("ompi_mpi_op_sum"), InPlace = 1, Serialized = 2,
    };

    /// <summary>MPICH and what shares its ABI: Intel MPI, MVAPICH, Cray MPICH.</summary>
    public static MpiConstants Mpich => new()
    {
        Abi = "MPICH", World = 0x44000000, Float = 0x4c00040a, Double = 0x4c00080b, Byte = 0x4c00010d, Sum = 0x58000003, InPlace = -1,
        Serialized = 2,
    };

    /// <summary>The standard ABI of MPI 5.</summary>
    public static MpiConstants Standard => new()
    {
        Abi = "MPI ABI", World = 0x101, Float = 0x210, Double = 0x214, Byte = 0x247, Sum = 0x21, InPlace = 1, Serialized = 2048,
    };
}
