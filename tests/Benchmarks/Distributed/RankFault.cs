namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>What goes wrong with one rank of a job.</summary>
internal enum RankFault
{
    /// <summary>A rank is killed with SIGKILL.</summary>
    Kill,

    /// <summary>A rank throws: its images vanish.</summary>
    Exception,

    /// <summary>A rank stands still, stopped with SIGSTOP.</summary>
    Hang,

    /// <summary>The disk that rank 0 writes to is full.</summary>
    FullDisk,
}
