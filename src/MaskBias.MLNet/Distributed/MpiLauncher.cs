using System.Globalization;

namespace MaskBias.MLNet.Distributed;

/// <summary>What the environment says of the launcher that started this process.</summary>
internal sealed record MpiLauncher(string Name, int Size)
{
    // Each sets its own; Slurm's says how many tasks a step has, whichever MPI they use.
    private static readonly (string Variable, string Name)[] Known =
    [
        ("OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"), ("PMI_SIZE", "MPICH's mpiexec"), ("MV2_COMM_WORLD_SIZE", "MVAPICH's mpirun"),
        ("SLURM_STEP_NUM_TASKS", "srun"),
    ];

    /// <summary>The launcher, or null where there is none.</summary>
    /// <param name="variable">Reads the environment.</param>
    public static MpiLauncher? Find(Func<string, string?> variable)
    {
        foreach (var (name, launcher) in Known)
        {
            if (int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size > 0) return new(launcher, size);
        }
        return null;
    }

    /// <summary>Number of this process among those that the launcher started on this machine; 0 where it does not say.</summary>
    public static int LocalRank => First("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID");

    /// <summary>Number of this process among all that the launcher started; 0 where it does not say.</summary>
    public static int Rank => First("OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID");

    /// <summary>The launcher of this process.</summary>
    public static MpiLauncher? Current => Find(Environment.GetEnvironmentVariable);

    private static int First(params string[] names)
    {
        foreach (string name in names)
        {
            if (int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number)) return number;
        }
        return 0;
    }
}
